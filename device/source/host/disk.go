package host

import (
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/shirou/gopsutil/v4/disk"
)

// maxDisks bounds the streams of a machine with many disks.
const maxDisks = 16

// collectDiskSpace measures each file system that is on a device of its own, once, however often it is mounted.
func collectDiskSpace(time.Time) ([]measurement, error) {
	partitions, err := disk.Partitions(false)
	if err != nil {
		return nil, err
	}
	var out []measurement
	for device, mount := range mounts(partitions) {
		usage, failed := disk.Usage(mount)
		if failed != nil || usage.Total == 0 {
			err = failed
			continue
		}
		out = append(out, measurement{
			name: "disk/" + device + "/used", label: fmt.Sprintf("Disk %s used", mount),
			group: "Disk space", unit: "%", high: 100, value: round(usage.UsedPercent, 2),
		})
	}
	return out, err
}

// mounts is the shortest mount point of each device.
func mounts(partitions []disk.PartitionStat) map[string]string {
	byDevice := map[string]string{}
	for _, p := range partitions {
		device := filepath.Base(p.Device)
		if !strings.HasPrefix(p.Device, "/dev/") || virtualDisk(device) || p.Fstype == "squashfs" {
			continue
		}
		known, found := byDevice[device]
		if !found && len(byDevice) >= maxDisks || found && len(known) <= len(p.Mountpoint) {
			continue
		}
		byDevice[device] = p.Mountpoint
	}
	return byDevice
}

// diskTraffic measures what is read from and written to whole disks.
type diskTraffic struct{ rates rates }

func (d *diskTraffic) collect(now time.Time) ([]measurement, error) {
	counters, err := disk.IOCounters()
	if err != nil {
		return nil, err
	}
	if d.rates == nil {
		d.rates = rates{}
	}
	var out []measurement
	for name, c := range counters {
		if virtualDisk(name) || partOfAnother(name, counters) || c.ReadCount+c.WriteCount == 0 {
			continue
		}
		out = d.append(out, now, name, "read", c.ReadBytes)
		out = d.append(out, now, name, "written", c.WriteBytes)
	}
	d.rates.forget(now)
	return out, nil
}

func (d *diskTraffic) append(out []measurement, now time.Time, disk, what string, bytes uint64) []measurement {
	name := "disk/" + disk + "/" + what
	perSecond, ok := d.rates.per(name, now, float64(bytes))
	if !ok {
		return out
	}
	return append(out, measurement{
		name: name, label: disk + " " + what, group: "Disk " + disk,
		unit: "kB/s", value: round(perSecond/1000, 1),
	})
}

// virtualDisk tells devices that are views of others (loops, device mapper, RAID) from real ones.
func virtualDisk(name string) bool {
	for _, prefix := range []string{"loop", "ram", "zram", "dm-", "md", "sr", "fd", "nbd"} {
		if rest, found := strings.CutPrefix(name, prefix); found && (rest == "" || rest[0] >= '0' && rest[0] <= '9') {
			return true
		}
	}
	return false
}

// partOfAnother recognises a partition: its disk is in the list too (sda1 of sda, mmcblk0p1 of mmcblk0).
func partOfAnother(name string, all map[string]disk.IOCountersStat) bool {
	whole := strings.TrimRight(name, "0123456789")
	if whole == name {
		return false
	}
	if _, found := all[whole]; found {
		return true
	}
	_, found := all[strings.TrimSuffix(whole, "p")]
	return found && strings.HasSuffix(whole, "p")
}
