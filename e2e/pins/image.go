package pins

import (
	"bytes"
	"debug/elf"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// cache is where a kernel is kept that was fetched.
const cache = ".cache/kernel"

// wanted are the drivers that the guest needs, beside what these need.
var wanted = []string{"uhid", "hid-mcp2221"}

// kernel is a Debian one: its image, and its modules by their names.
type kernel struct {
	image   string
	modules map[string]string
}

// fetchKernel gets Debian's kernel for virtual and other machines, and unpacks it without installing it.
func fetchKernel() (k kernel, err error) {
	root, err := moduleRoot()
	if err != nil {
		return k, err
	}
	dir := filepath.Join(root, cache)
	if _, err := os.Stat(filepath.Join(dir, "boot")); err != nil {
		if err := unpackKernel(dir); err != nil {
			return k, err
		}
	}
	images, err := filepath.Glob(filepath.Join(dir, "boot", "vmlinuz-*"))
	if err != nil || len(images) != 1 {
		return k, errors.Join(err, fmt.Errorf("%d kernels in %s, want one: remove the folder", len(images), dir))
	}
	k = kernel{images[0], map[string]string{}}
	return k, filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if name, _, found := strings.Cut(filepath.Base(path), ".ko"); found {
			k.modules[moduleName(name)] = path
		}
		return err
	})
}

// moduleName is one name for what is written with - and _.
func moduleName(name string) string { return strings.ReplaceAll(name, "_", "-") }

func moduleRoot() (string, error) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}").Output()
	return strings.TrimSpace(string(out)), err
}

// unpackKernel asks the package that names the newest kernel which one that is.
func unpackKernel(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	script := `set -eu
cd "$1"
name=$(apt-cache depends linux-image-amd64 | sed -n 's/^ *Depends: //p' | head -1)
[ -n "$name" ] || { echo 'apt knows no linux-image-amd64: apt-get update' >&2; exit 1; }
apt-get download -qq "$name"
dpkg-deb -x "$name"_*.deb new
rm -- *.deb
mv new/boot .
mv new/lib . 2>/dev/null || mv new/usr/lib .
rm -rf new`
	out, err := exec.Command("sh", "-c", script, "sh", dir).CombinedOutput()
	if err != nil {
		return fmt.Errorf("fetch a kernel: %w: %.500s", err, out)
	}
	return nil
}

// inOrder are the modules that the guest loads, each behind what it needs.
func (k kernel) inOrder() (modules [][]byte, err error) {
	done := map[string]bool{}
	var add func(name string) error
	add = func(name string) error {
		name = moduleName(name)
		if done[name] {
			return nil
		}
		done[name] = true
		path := k.modules[name]
		if path == "" {
			return fmt.Errorf("this kernel has no module %s", name)
		}
		text, needs, err := readModule(path)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		for _, need := range needs {
			if err := add(need); err != nil {
				return err
			}
		}
		modules = append(modules, text)
		return nil
	}
	for _, name := range wanted {
		if err := add(name); err != nil {
			return nil, err
		}
	}
	return modules, nil
}

// readModule is a module, unpacked, and the names of those that it needs.
func readModule(path string) (text []byte, needs []string, err error) {
	if text, err = os.ReadFile(path); err != nil {
		return nil, nil, err
	}
	if strings.HasSuffix(path, ".xz") {
		if text, err = exec.Command("xz", "-dc", path).Output(); err != nil {
			return nil, nil, err
		}
	}
	f, err := elf.NewFile(bytes.NewReader(text))
	if err != nil {
		return nil, nil, err
	}
	section := f.Section(".modinfo")
	if section == nil {
		return nil, nil, errors.New("it says nothing of itself")
	}
	info, err := section.Data()
	if err != nil {
		return nil, nil, err
	}
	for _, field := range strings.Split(string(info), "\x00") {
		if list, found := strings.CutPrefix(field, "depends="); found && list != "" {
			needs = strings.Split(list, ",")
		}
	}
	return text, needs, nil
}

// pack writes the guest's files: itself, the built programs, the modules, and what it is told.
func pack(path string, k kernel, order Order) error {
	root, err := moduleRoot()
	if err != nil {
		return err
	}
	guest := filepath.Join(filepath.Dir(path), "guest")
	build := exec.Command("go", "build", "-o", guest, "./e2e/pins/guest")
	build.Dir, build.Env = root, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build the guest: %w: %s", err, out)
	}
	modules, err := k.inOrder()
	if err != nil {
		return err
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	a := &archive{to: f}
	for _, dir := range []string{"bin", "dev", "modules", "proc", "sys", "tmp", "work"} {
		a.add(dir, 0o040755, nil)
	}
	told, err := json.Marshal(order)
	if err != nil {
		return err
	}
	a.add(strings.TrimPrefix(OrderFile, "/"), 0o100644, told)
	for i, text := range modules {
		a.add(fmt.Sprintf("%s/%03d.ko", strings.TrimPrefix(Modules, "/"), i), 0o100644, text)
	}
	a.addFile("init", guest)
	for _, name := range []string{"telepath-signaling", "telepath-device", "telepath"} {
		a.addFile("bin/"+name, filepath.Join(root, "bin", name))
	}
	a.add("TRAILER!!!", 0, nil)
	return a.err
}

// archive writes a cpio archive as a kernel reads one (its Documentation/driver-api/early-userspace/buffer-format.rst).
type archive struct {
	to    io.Writer
	count int
	err   error // the first one
}

func (a *archive) addFile(name, path string) {
	text, err := os.ReadFile(path)
	if err != nil {
		a.err = errors.Join(a.err, err)
		return
	}
	a.add(name, 0o100755, text)
}

func (a *archive) add(name string, mode int, text []byte) {
	a.count++
	var b bytes.Buffer
	fmt.Fprintf(&b, "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x", a.count, mode, 0, 0, 1, 0, len(text), 0, 0, 0, 0, len(name)+1, 0)
	b.WriteString(name + "\x00")
	pad(&b)
	b.Write(text)
	pad(&b)
	if _, err := a.to.Write(b.Bytes()); err != nil {
		a.err = errors.Join(a.err, err)
	}
}

// pad fills up to the next multiple of four.
func pad(b *bytes.Buffer) {
	for b.Len()%4 != 0 {
		b.WriteByte(0)
	}
}
