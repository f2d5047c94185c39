package bundled

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

const (
	keyring = "/usr/share/keyrings/debian-archive-keyring.gpg"

	publicDebian   = "http://deb.debian.org/debian"
	publicSecurity = "http://deb.debian.org/debian-security"
	publicUbuntu   = "http://archive.ubuntu.com/ubuntu"
)

// Mirrors says where Debian packages come from. What is empty is taken from
// the machine's own apt sources, else from the public mirrors.
type Mirrors struct {
	Debian   string
	Security string
	Ubuntu   string // only for C headers of CPythons that Debian does not have
}

// fill completes m from the machine's apt sources.
func (m Mirrors) fill(ctx context.Context) (Mirrors, error) {
	out, err := tool{}.output(ctx, "apt-get", "indextargets",
		"--format", "$(COMPONENT) $(RELEASE) $(REPO_URI)", "Identifier: Packages")
	if err != nil {
		return Mirrors{}, fmt.Errorf("read apt sources: %w", err)
	}
	for line := range strings.Lines(string(out)) {
		f := strings.Fields(line)
		if len(f) != 3 || f[0] != "main" {
			continue
		}
		uri := strings.TrimSuffix(f[2], "/")
		switch {
		case strings.HasSuffix(uri, "/debian-security") && m.Security == "":
			m.Security = uri
		case strings.HasSuffix(uri, "/debian") && !strings.Contains(f[1], "-") && m.Debian == "":
			m.Debian = uri
		case strings.HasSuffix(uri, "/ubuntu") && !strings.Contains(f[1], "-") && m.Ubuntu == "":
			m.Ubuntu = uri
		}
	}
	m.Debian = firstOf(m.Debian, publicDebian)
	m.Security = firstOf(m.Security, publicSecurity)
	m.Ubuntu = firstOf(m.Ubuntu, publicUbuntu)
	return m, nil
}

// aptProxies are the proxies that the machine's apt is set to use.
func aptProxies(ctx context.Context) ([]string, error) {
	out, err := tool{}.output(ctx, "apt-config", "dump")
	if err != nil {
		return nil, fmt.Errorf("read apt settings: %w", err)
	}
	var proxies []string
	for line := range strings.Lines(string(out)) {
		if name, _, _ := strings.Cut(line, " "); name == "Acquire::http::Proxy" || name == "Acquire::https::Proxy" {
			proxies = append(proxies, strings.TrimSuffix(strings.TrimSpace(line), ";"))
		}
	}
	return proxies, nil
}

func firstOf(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// sources are the apt sources of a Debian suite, security updates included.
func (m Mirrors) sources(suite string) string {
	signed := "[signed-by=" + keyring + "]"
	return fmt.Sprintf("deb %[1]s %[2]s %[4]s main\ndeb %[1]s %[2]s %[4]s-updates main\ndeb %[1]s %[3]s %[4]s-security main\n",
		signed, m.Debian, m.Security, suite)
}

// download gets the package pkg of a Debian suite, checked against the
// archive's signature, as the file dst. It does not touch the machine's apt.
func (m Mirrors) download(ctx context.Context, suite, pkg, dst string) (err error) {
	dir, err := os.MkdirTemp(filepath.Dir(dst), "apt-")
	if err != nil {
		return fmt.Errorf("make apt directory: %w", err)
	}
	defer removeAll(dir, &err)
	for _, d := range []string{"state/lists/partial", "cache/archives/partial", "etc", "out"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			return fmt.Errorf("make apt directory: %w", err)
		}
	}
	list := filepath.Join(dir, "etc", "sources.list")
	if err := os.WriteFile(list, []byte(m.sources(suite)), 0o600); err != nil {
		return fmt.Errorf("write apt sources: %w", err)
	}
	opts := []string{
		"-q", "-o", "Dir::Etc::SourceList=" + list, "-o", "Dir::Etc::SourceParts=/dev/null",
		"-o", "Dir::State=" + filepath.Join(dir, "state"), "-o", "Dir::Cache=" + filepath.Join(dir, "cache"),
		"-o", "APT::Sandbox::User=root", "-o", "Acquire::Languages=none", "-o", "Acquire::Retries=3",
		"-o", "APT::Get::List-Cleanup=0", "-o", "APT::Architecture=amd64", "-o", "APT::Architectures=amd64",
	}
	if err := (tool{}).run(ctx, "apt-get", append(opts, "update")...); err != nil {
		return err
	}
	out := filepath.Join(dir, "out")
	if err := (tool{dir: out}).run(ctx, "apt-get", append(opts, "download", pkg)...); err != nil {
		return err
	}
	debs, err := filepath.Glob(filepath.Join(out, pkg+"_*.deb"))
	if err != nil || len(debs) != 1 {
		return fmt.Errorf("download %s of %s: got %d files", pkg, suite, len(debs))
	}
	return os.Rename(debs[0], dst)
}

// fetch gets the file at a path of the Ubuntu mirror, checked against sum, as
// the file dst, through apt's own downloader, so that its proxies count.
func (m Mirrors) fetch(ctx context.Context, pool, sum, dst string) error {
	uri := m.Ubuntu + "/" + pool
	err := tool{}.run(ctx, "/usr/lib/apt/apt-helper", "-o", "APT::Sandbox::User=root", "-o", "Acquire::Retries=3",
		"download-file", uri, dst, "SHA256:"+sum)
	if err != nil {
		return err
	}
	data, err := os.ReadFile(dst)
	if err != nil {
		return fmt.Errorf("read %s: %w", filepath.Base(pool), err)
	}
	if got := sha256.Sum256(data); hex.EncodeToString(got[:]) != sum {
		return fmt.Errorf("check %s: it is not the file that was asked for (sha256 %x)", filepath.Base(pool), got)
	}
	return nil
}
