package build

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
)

// envArchive writes env as files of the platform directory (platform
// specification, "User-Provided Variables").
func envArchive(tw *tar.Writer, env map[string]string) error {
	if len(env) == 0 {
		return nil
	}
	for _, dir := range []string{"platform/", "platform/env/"} {
		if err := tw.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: dir, Mode: 0o755, ModTime: appTime}); err != nil {
			return err
		}
	}
	for _, key := range slices.Sorted(maps.Keys(env)) {
		h := &tar.Header{Typeflag: tar.TypeReg, Name: "platform/env/" + key, Mode: 0o644, Size: int64(len(env[key])), ModTime: appTime}
		if err := tw.WriteHeader(h); err != nil {
			return err
		}
		if _, err := io.WriteString(tw, env[key]); err != nil {
			return err
		}
	}
	return nil
}

// appendArchive copies the entries of an archive to tw, and reads it to its end.
func appendArchive(tw *tar.Writer, r io.Reader) error {
	tr := tar.NewReader(r)
	for {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			_, err = io.Copy(io.Discard, r)
			return err
		}
		if err != nil {
			return fmt.Errorf("read archive: %w", err)
		}
		if err := tw.WriteHeader(h); err != nil {
			return err
		}
		if _, err := io.Copy(tw, tr); err != nil {
			return err
		}
	}
}

// joinArchives writes what is pending, and then more if it is not nil.
func joinArchives(w io.Writer, pending [][]byte, env map[string]string, more io.Reader) error {
	tw := tar.NewWriter(w)
	for _, p := range pending {
		if err := appendArchive(tw, bytes.NewReader(p)); err != nil {
			return err
		}
	}
	if err := envArchive(tw, env); err != nil {
		return err
	}
	if more != nil {
		if err := appendArchive(tw, more); err != nil {
			return err
		}
	}
	return tw.Close()
}

// validEnv tells whether key may name an environment variable, and so a file.
func validEnv(key string) bool {
	if key == "" || len(key) > 255 {
		return false
	}
	for i, c := range key {
		switch {
		case c >= 'A' && c <= 'Z', c >= 'a' && c <= 'z', c == '_':
		case c >= '0' && c <= '9' && i > 0:
		default:
			return false
		}
	}
	return true
}
