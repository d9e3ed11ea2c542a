package disk

import "golang.org/x/sys/unix"

// Room implements FS.
func (o OS) Room() (free, total int64, err error) {
	var st unix.Statfs_t
	if err := unix.Statfs(o.Dir, &st); err != nil {
		return 0, 0, err
	}
	block := int64(st.Bsize)
	return int64(st.Bavail) * block, int64(st.Blocks) * block, nil
}
