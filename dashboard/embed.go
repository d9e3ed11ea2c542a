// Package dashboard carries the built browser dashboard inside the server's
// program: one file to copy, nothing to install beside it.
//
// The sources live in web/ and are built into dist/ by `make build`. The built
// files are not committed; a placeholder keeps the folder, so that `go build`
// works on a clone without Node. Such a program serves a page that says so.
package dashboard

import (
	"embed"
	"io/fs"
)

//go:embed all:dist
var built embed.FS

//go:embed unbuilt
var unbuilt embed.FS

// Files is the dashboard's web root: index.html and assets/. Names under
// assets/ contain a hash of their content and may be cached for ever;
// index.html may not be cached.
//
// Where the dashboard was not built it holds only an index.html that tells how
// to build it; Built tells the two apart.
func Files() fs.FS { return choose(built, unbuilt) }

// Built reports whether the real dashboard is inside this program.
func Built() bool { return has(sub(built, "dist"), "index.html") }

func choose(built, unbuilt fs.FS) fs.FS {
	if files := sub(built, "dist"); has(files, "index.html") {
		return files
	}
	return sub(unbuilt, "unbuilt")
}

func has(files fs.FS, name string) bool {
	_, err := fs.Stat(files, name)
	return err == nil
}

// sub never fails here: both folders are embedded, and their names are valid paths.
func sub(files fs.FS, dir string) fs.FS {
	below, err := fs.Sub(files, dir)
	if err != nil {
		return embed.FS{}
	}
	return below
}
