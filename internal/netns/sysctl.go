package netns

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// turnOn sets a value to 1 in the calling thread's network namespace. One that
// this kernel lacks, for want of IPv6, needs no setting.
func turnOn(name string) error {
	path := "/proc/sys/" + name
	have, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil && string(bytes.TrimSpace(have)) == "1" {
		return nil
	}
	if err := os.WriteFile(path, []byte("1"), 0o644); err != nil {
		return fmt.Errorf("set sysctl: %w", err)
	}
	return nil
}

// forwarding turns IPv4 forwarding on, which the host must have for builds to
// reach the outside, and says whether it was off.
func forwarding() (changed bool, err error) {
	const path = "/proc/sys/net/ipv4/ip_forward"
	have, err := os.ReadFile(path)
	if err != nil {
		return false, fmt.Errorf("read sysctl: %w", err)
	}
	if string(bytes.TrimSpace(have)) == "1" {
		return false, nil
	}
	return true, turnOn("net/ipv4/ip_forward")
}
