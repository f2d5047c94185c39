package buildnet

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// setSysctl sets a value in the calling thread's network namespace. One that
// this kernel lacks, for want of IPv6, needs no setting.
func setSysctl(name, value string) error {
	path := "/proc/sys/" + name
	have, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil && string(bytes.TrimSpace(have)) == value {
		return nil
	}
	if err := os.WriteFile(path, []byte(value), 0o644); err != nil {
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
	return true, setSysctl("net/ipv4/ip_forward", "1")
}
