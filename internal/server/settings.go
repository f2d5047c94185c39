package server

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
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
	HTTPS  string // address of the apps with TLS; "" turns it off
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
	StopTimeout    time.Duration
	MaxSource      string
	MaxSourceFiles int
	KeepSlugs      int
	KeepOutputs    int
	MaxOutput      string
	Upkeep         bool
	SweepAfter     time.Duration

	Git gitSettings

	Database  string
	ACMEEmail string
	ACMECA    string

	DynoCPUs        float64
	DynoMemory      string
	DynoPids        int64
	DynoDisk        string
	DynoReach       []string
	DynoHours       time.Duration
	DynoStopTimeout time.Duration
	BootTimeout     time.Duration
	IdleTimeout     time.Duration
	WakeTimeout     time.Duration
	RequestTimeout  time.Duration
	MaxOneOffs      int
	MaxWaiting      int
	APIRate         int
	AppLog          string

	LogFormat string
	LogLevel  string

	watchAPI func(http.Handler) http.Handler // of tests; nil for none
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
	f.DurationVar(&s.StopTimeout, "stop-timeout", 30*time.Second, "how long pushes may go on after a signal to stop")
	f.StringVar(&s.MaxSource, "max-source", "1GiB", "largest source tree of a build, and largest tarball")
	f.IntVar(&s.MaxSourceFiles, "max-source-files", 100_000, "most files in the source tree of a build")
	f.IntVar(&s.KeepSlugs, "keep-slugs", 0, "releases of an app whose images are kept; 0 keeps all")
	f.IntVar(&s.KeepOutputs, "keep-outputs", 200, "builds and release commands of an app whose output is kept")
	f.StringVar(&s.MaxOutput, "max-output", "1MiB", "what is kept of the output of one build or release command")
	f.BoolVar(&s.Upkeep, "upkeep", true, "repack the repositories beside pushes, and sweep them")
	f.DurationVar(&s.SweepAfter, "sweep-after", 14*24*time.Hour, "how long --upkeep keeps what no branch or tag of a repository leads to any more; 0 for ever")

	f.StringVar(&s.Database, "database", "", "where the state is kept: postgres://…, or SQLite in the data directory if empty")
	s.Git.register(f)
	s.registerRun(f)

	f.StringVar(&s.LogFormat, "log-format", "console", "console or json")
	f.StringVar(&s.LogLevel, "log-level", "info", "debug, info, warn or error")
}

// registerRun declares the settings of running apps.
func (s *Settings) registerRun(f *pflag.FlagSet) {
	f.StringVar(&s.HTTPS, "https", "", `address for apps over TLS, such as 0.0.0.0:443; "" for none`)
	f.StringVar(&s.ACMEEmail, "acme-email", "", "get certificates for the apps' host names by themselves, in the name of this address")
	f.StringVar(&s.ACMECA, "acme-ca", "", "directory address of the certificate authority (default: Let's Encrypt)")
	f.Float64Var(&s.DynoCPUs, "dyno-cpus", float64(runtime.NumCPU()), "processors for one dyno")
	f.StringVar(&s.DynoMemory, "dyno-memory", "512MiB", "memory for one dyno, what it writes included")
	f.Int64Var(&s.DynoPids, "dyno-pids", 256, "processes and threads for one dyno")
	f.StringVar(&s.DynoDisk, "dyno-disk", "256MiB", "what one dyno may write; it is gone when the dyno ends")
	f.StringArrayVar(&s.DynoReach, "dyno-reach", nil, "HOST:PORT on this machine or network that dynos may reach, a database say (repeatable)")
	f.DurationVar(&s.DynoHours, "dyno-hours", 0, "how long all dynos of one account may run in a month together, such as 550h; 0 for no limit")
	f.DurationVar(&s.DynoStopTimeout, "dyno-stop-timeout", 30*time.Second, "from SIGTERM to SIGKILL")
	f.DurationVar(&s.BootTimeout, "boot-timeout", time.Minute, "how long a web dyno may take until it binds $PORT")
	f.DurationVar(&s.IdleTimeout, "idle-timeout", 30*time.Minute, "web dynos without a request for so long sleep; 0 for never")
	f.DurationVar(&s.WakeTimeout, "wake-timeout", 75*time.Second, "how long a request waits for a dyno that starts")
	f.DurationVar(&s.RequestTimeout, "request-timeout", 30*time.Second, "how long a dyno may take to begin its answer")
	f.IntVar(&s.MaxOneOffs, "max-one-offs", 10, "one-off dynos (slipway run) of one app at once")
	f.IntVar(&s.MaxWaiting, "max-waiting", 1000, "requests of one app that wait for a dyno at once")
	f.IntVar(&s.APIRate, "api-rate", 4500, "requests to the API that one account may make in an hour; 0 for no limit")
	f.StringVar(&s.AppLog, "app-log", "4MiB", "disk for one app's log; the oldest lines go")
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
	errs = append(errs, fill(f, getenv, s.Config, file))
	if err := errors.Join(errs...); err != nil {
		return err
	}
	return s.check()
}

// fill sets the flags that nobody gave from the environment, else from what the
// config file of that name says.
func fill(f *pflag.FlagSet, getenv func(string) (string, bool), name string, file map[string]any) error {
	var errs []error
	f.VisitAll(func(flag *pflag.Flag) {
		if flag.Changed || flag.Name == "config" {
			return
		}
		variable := "SLIPWAY_" + strings.ToUpper(strings.ReplaceAll(flag.Name, "-", "_"))
		if value, ok := getenv(variable); ok {
			errs = append(errs, assign(f, flag, variable, lines(flag, value)))
		} else if value, ok := file[flag.Name]; ok {
			errs = append(errs, assign(f, flag, name+": "+flag.Name, words(value)))
		}
	})
	return errors.Join(errs...)
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
		{"max-source-files", s.MaxSourceFiles > 0},
		{"keep-outputs", s.KeepOutputs > 0},
		{"dyno-cpus", s.DynoCPUs > 0},
		{"dyno-pids", s.DynoPids > 0},
		{"dyno-stop-timeout", s.DynoStopTimeout > 0},
		{"boot-timeout", s.BootTimeout > 0},
		{"wake-timeout", s.WakeTimeout > 0},
		{"request-timeout", s.RequestTimeout > 0},
		{"max-one-offs", s.MaxOneOffs > 0},
		{"max-waiting", s.MaxWaiting > 0},
	} {
		if !c.ok {
			errs = append(errs, fmt.Errorf("--%s: it must be more than 0", c.setting))
		}
	}
	for setting, n := range map[string]int{"keep-slugs": s.KeepSlugs, "api-rate": s.APIRate} {
		if n < 0 {
			errs = append(errs, fmt.Errorf("--%s: it cannot be less than 0", setting))
		}
	}
	for setting, d := range map[string]time.Duration{
		"stop-timeout": s.StopTimeout, "idle-timeout": s.IdleTimeout, "dyno-hours": s.DynoHours, "sweep-after": s.SweepAfter,
	} {
		if d < 0 {
			errs = append(errs, fmt.Errorf("--%s: it cannot be less than 0", setting))
		}
	}
	if s.ACMEEmail != "" && s.HTTPS == "" {
		errs = append(errs, errors.New("--acme-email: certificates are for --https: give it an address, such as 0.0.0.0:443"))
	}
	errs = append(errs, s.Git.check())
	errs = append(errs, checkReach("build-reach", s.BuildReach), checkReach("dyno-reach", s.DynoReach))
	return errors.Join(errs...)
}

func checkReach(setting string, addresses []string) error {
	var errs []error
	for _, address := range addresses {
		host, port, err := net.SplitHostPort(address)
		if n, bad := strconv.ParseUint(port, 10, 16); err != nil || bad != nil || n == 0 || host == "" {
			errs = append(errs, fmt.Errorf("--%s %q: write HOST:PORT", setting, address))
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
