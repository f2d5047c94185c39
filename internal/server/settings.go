package server

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/BurntSushi/toml"
	"github.com/spf13/pflag"
)

// Settings are what "slipway serve" can be told. Each is a flag --x-y, an
// environment variable SLIPWAY_X_Y and a key x-y in the config file; the flag
// wins, then the environment, then the file.
type Settings struct {
	Data   string // everything that the server keeps
	HTTP   string // address of git, registry and API
	SSH    string // address of git over SSH; "" turns it off
	URL    string // how clients reach HTTP, for the addresses that are printed
	Domain string // apps are APP.Domain
	Config string // the file

	Engine         string
	DockerHost     string
	Builder        string
	BundledBuilder string
	TrustedBuilder []string
	AllowedBuilder []string
	LifecycleImage string
	BuildEnv       []string
	BuildReach     []string
	BuildCPUs      float64
	BuildMemory    string
	BuildPids      int64
	BuildDisk      string
	BuildDiskFiles int64
	BuildTimeout   time.Duration
	PushTimeout    time.Duration
	StopTimeout    time.Duration
	MaxPack        string
	MaxObject      string
	MaxInflated    string
	MaxObjects     int64
	MaxSource      string
	MaxSourceFiles int
	KeepSlugs      int

	LogFormat string
	LogLevel  string
}

// register declares the flags with their defaults.
func (s *Settings) register(f *pflag.FlagSet) {
	f.StringVar(&s.Data, "data", defaultData(), "directory for everything that the server keeps")
	f.StringVar(&s.HTTP, "http", "127.0.0.1:5000", "address for git over HTTP, the registry and the API")
	f.StringVar(&s.SSH, "ssh", "127.0.0.1:2222", `address for git over SSH; "" for none`)
	f.StringVar(&s.URL, "url", "", "how clients reach --http, if not by that address")
	f.StringVar(&s.Domain, "domain", "localhost", "apps are at APP.DOMAIN")
	f.StringVar(&s.Config, "config", "", "file with settings, in TOML")

	f.StringVar(&s.Engine, "engine", "auto", "what runs builds: auto, embedded or docker")
	f.StringVar(&s.DockerHost, "docker-host", "", "the Docker daemon's address (default: as the docker command finds it)")
	f.StringVar(&s.Builder, "builder", "bundled", "the CNB builder: bundled, or an image reference")
	f.StringVar(&s.BundledBuilder, "bundled-builder", "", `directory of the bundled builder (default: "builder" beside this program)`)
	f.StringArrayVar(&s.TrustedBuilder, "trusted-builder", nil, "a builder that may see a build's registry token (repeatable)")
	f.StringArrayVar(&s.AllowedBuilder, "allowed-builder", nil, "a builder or buildpack that a push may ask for (repeatable)")
	f.StringVar(&s.LifecycleImage, "lifecycle-image", "", "lifecycle image for builders that are not trusted")
	f.StringArrayVar(&s.BuildEnv, "build-env", nil, "KEY=VALUE for every build (repeatable), such as PIP_INDEX_URL=…")
	f.StringArrayVar(&s.BuildReach, "build-reach", nil, "HOST:PORT on this machine or network that builds may reach (repeatable)")
	f.Float64Var(&s.BuildCPUs, "build-cpus", float64(runtime.NumCPU()), "processors for one build")
	f.StringVar(&s.BuildMemory, "build-memory", "4GiB", "memory for one build")
	f.Int64Var(&s.BuildPids, "build-pids", 4096, "processes and threads for one build")
	f.StringVar(&s.BuildDisk, "build-disk", "10GiB", "disk for one build, the app's build cache included")
	f.Int64Var(&s.BuildDiskFiles, "build-disk-files", 1_000_000, "files and folders for one build, the app's build cache included")
	f.DurationVar(&s.BuildTimeout, "build-timeout", 20*time.Minute, "longest build")
	f.DurationVar(&s.PushTimeout, "push-timeout", 30*time.Minute, "longest push, waiting and build included")
	f.DurationVar(&s.StopTimeout, "stop-timeout", 30*time.Second, "how long pushes may go on after a signal to stop")
	f.StringVar(&s.MaxPack, "max-pack", "2GiB", "largest pack in a push")
	f.StringVar(&s.MaxObject, "max-object", "512MiB", "largest object in a push, inflated")
	f.StringVar(&s.MaxInflated, "max-inflated", "64GiB", "most that the objects of a push may inflate to")
	f.Int64Var(&s.MaxObjects, "max-objects", 10_000_000, "most objects in a push")
	f.StringVar(&s.MaxSource, "max-source", "1GiB", "largest source tree of a build")
	f.IntVar(&s.MaxSourceFiles, "max-source-files", 100_000, "most files in the source tree of a build")
	f.IntVar(&s.KeepSlugs, "keep-slugs", 0, "releases of an app whose images are kept; 0 keeps all")

	f.StringVar(&s.LogFormat, "log-format", "console", "console or json")
	f.StringVar(&s.LogLevel, "log-level", "info", "debug, info, warn or error")
}

// complete fills in from the environment and the config file what no flag said.
func (s *Settings) complete(f *pflag.FlagSet, getenv func(string) (string, bool)) error {
	if value, ok := getenv("SLIPWAY_CONFIG"); ok && !f.Changed("config") {
		s.Config = value
	}
	file := map[string]any{}
	if s.Config != "" {
		if _, err := toml.DecodeFile(s.Config, &file); err != nil {
			return fmt.Errorf("read config file %s: %w", s.Config, err)
		}
	}
	var errs []error
	for key := range file {
		if f.Lookup(key) == nil {
			errs = append(errs, fmt.Errorf("config file %s: there is no setting %q: see slipway serve --help", s.Config, key))
		}
	}
	f.VisitAll(func(flag *pflag.Flag) {
		if flag.Changed || flag.Name == "config" {
			return
		}
		variable := "SLIPWAY_" + strings.ToUpper(strings.ReplaceAll(flag.Name, "-", "_"))
		if value, ok := getenv(variable); ok {
			errs = append(errs, assign(f, flag, variable, lines(flag, value)))
		} else if value, ok := file[flag.Name]; ok {
			errs = append(errs, assign(f, flag, s.Config+": "+flag.Name, words(value)))
		}
	})
	if err := errors.Join(errs...); err != nil {
		return err
	}
	return s.check()
}

// check refuses numbers and addresses that mean nothing, before a push finds out.
func (s *Settings) check() error {
	var errs []error
	for _, c := range []struct {
		setting string
		ok      bool
	}{
		{"build-cpus", s.BuildCPUs > 0},
		{"build-disk-files", s.BuildDiskFiles > 0},
		{"build-pids", s.BuildPids > 0},
		{"build-timeout", s.BuildTimeout > 0},
		{"max-objects", s.MaxObjects > 0},
		{"max-source-files", s.MaxSourceFiles > 0},
		{"push-timeout", s.PushTimeout > 0},
	} {
		if !c.ok {
			errs = append(errs, fmt.Errorf("--%s: it must be more than 0", c.setting))
		}
	}
	if s.KeepSlugs < 0 {
		errs = append(errs, errors.New("--keep-slugs: it cannot be less than 0"))
	}
	if s.StopTimeout < 0 {
		errs = append(errs, errors.New("--stop-timeout: it cannot be less than 0"))
	}
	for _, address := range s.BuildReach {
		host, port, err := net.SplitHostPort(address)
		if n, bad := strconv.ParseUint(port, 10, 16); err != nil || bad != nil || n == 0 || host == "" {
			errs = append(errs, fmt.Errorf("--build-reach %q: write HOST:PORT", address))
		}
	}
	return errors.Join(errs...)
}

// lines splits the value of an environment variable that stands for a
// repeatable flag: one entry a line.
func lines(flag *pflag.Flag, value string) []string {
	if flag.Value.Type() != "stringArray" {
		return []string{value}
	}
	var out []string
	for line := range strings.Lines(value) {
		if line = strings.TrimSpace(line); line != "" {
			out = append(out, line)
		}
	}
	return out
}

// words takes a value of the config file as a flag would have it.
func words(value any) []string {
	list, ok := value.([]any)
	if !ok {
		return []string{fmt.Sprint(value)}
	}
	out := make([]string, 0, len(list))
	for _, v := range list {
		out = append(out, fmt.Sprint(v))
	}
	return out
}

func assign(f *pflag.FlagSet, flag *pflag.Flag, where string, values []string) error {
	for _, value := range values {
		if err := f.Set(flag.Name, value); err != nil {
			return fmt.Errorf("%s: %w", where, err)
		}
	}
	return nil
}

func defaultData() string {
	base := os.Getenv("XDG_DATA_HOME")
	if base == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return ""
		}
		base = filepath.Join(home, ".local", "share")
	}
	return filepath.Join(base, "slipway")
}

// bundledBuilder is the directory of the bundled builder: the one that was
// named, else the one beside the program.
func (s *Settings) bundledBuilder() (string, error) {
	if s.BundledBuilder != "" {
		return filepath.Abs(s.BundledBuilder)
	}
	program, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("find this program: %w", err)
	}
	dir := filepath.Join(filepath.Dir(program), "builder")
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("the bundled builder is not at %s: make it with make builder, or name another with --builder or --bundled-builder", dir)
	}
	return dir, nil
}

// buildEnv parses --build-env.
func (s *Settings) buildEnv() (map[string]string, error) {
	env := map[string]string{}
	for _, pair := range s.BuildEnv {
		key, value, ok := strings.Cut(pair, "=")
		if !ok || key == "" || strings.ContainsAny(key, "/\x00") {
			return nil, fmt.Errorf("--build-env %.20q: write KEY=VALUE", key)
		}
		env[key] = value
	}
	return env, nil
}
