package spool

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"github.com/telepath-iot/telepath/device/disk"
)

// ids is a segment's place in the log: its number, or the first and the last of those that were merged into it.
type ids struct{ id, to uint64 }

const suffix = ".seg"

// file is the segment's name in the folder.
func (i ids) file() string {
	if i.merged() {
		return fmt.Sprintf("%016x-%016x%s", i.id, i.to, suffix)
	}
	return fmt.Sprintf("%016x%s", i.id, suffix)
}

func (i ids) merged() bool { return i.id != i.to }

// parseName reads a file's name; others than segments may be in the folder.
func parseName(name string) (i ids, ok bool) {
	digits, found := strings.CutSuffix(name, suffix)
	first, last, _ := strings.Cut(digits, "-")
	if last == "" {
		last = first
	}
	var errFirst, errLast error
	i.id, errFirst = strconv.ParseUint(first, 16, 64)
	i.to, errLast = strconv.ParseUint(last, 16, 64)
	return i, found && errors.Join(errFirst, errLast) == nil && i.id <= i.to && i.file() == name
}

// logFile is a file of the log.
type logFile struct {
	ids
	disk.Entry
}

// list finds the log's files in the order of their numbers, what was merged in front of what it was made of.
func (s *Spool) list() (files []logFile, err error) {
	entries, err := s.cfg.FS.List()
	for _, e := range entries {
		if i, ok := parseName(e.Name); ok {
			files = append(files, logFile{i, e})
		}
	}
	slices.SortFunc(files, func(a, b logFile) int {
		return cmp.Or(cmp.Compare(a.id, b.id), cmp.Compare(b.to, a.to))
	})
	return files, err
}

// load lists the folder and reads what is in each segment. What was merged counts if the first of what it was made of has gone;
// then the rest of that, which was to go as well, does not.
func (s *Spool) load() error {
	files, err := s.list()
	if err != nil {
		return err
	}
	var segments []*segment
	var whole ids // the last one that was merged, and counts
	s.cut, s.litter = nil, nil
	for n, f := range files {
		s.nextID = max(s.nextID, f.to+1)
		rest := files[n+1:]
		if whole.merged() && f.to <= whole.to || f.merged() && len(rest) > 0 && rest[0].id == f.id {
			s.litter = append(s.litter, litter{f.Name, true})
			continue
		}
		seg, cut := s.loadSegment(f)
		if f.merged() && !seg.spoilt {
			if (cut || seg.end == 0) && len(rest) > 0 && rest[0].to <= f.to { // its footer is gone: what is left of the others counts
				s.litter = append(s.litter, litter{f.Name, true})
				continue
			}
			whole = f.ids
		}
		if cut && len(seg.spans) > 0 {
			s.cut = append(s.cut, seg)
		}
		segments = append(segments, seg)
	}
	s.date(segments)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.segments, s.loaded = segments, true
	return nil
}

// loadSegment reads what is in a segment. cut: it has no footer.
func (s *Spool) loadSegment(f logFile) (seg *segment, cut bool) {
	seg = &segment{ids: f.ids, size: f.Size}
	var err error
	if seg.contents, cut, err = load(s.cfg.FS, f.Entry); err != nil {
		s.cfg.Log.Warn("a part of the spool cannot be read", "file", f.Name, "error", err)
		seg.spoilt = true
	}
	seg.index = nil
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shareSpansLocked(seg) // now: thousands of runs have the same streams
	return seg, cut
}

// litter is a file that is no part of the log any more, or never was.
type litter struct {
	name string
	last bool // what is behind it stays until it is gone for good
}

// sweep removes such files. What they hold is elsewhere, but which of them counts at the next start is told by which are there. So
// this comes before anything else is removed.
func (s *Spool) sweep() error {
	for len(s.litter) > 0 {
		l := s.litter[0]
		if err := s.cfg.FS.Remove(l.name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if l.last {
			if err := s.cfg.FS.Sync(); err != nil {
				return err
			}
		}
		s.litter = s.litter[1:]
	}
	return nil
}
