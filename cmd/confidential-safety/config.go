package main

import (
	"bytes"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/difflabai/confidential-safety/attest"
	"github.com/difflabai/confidential-safety/envoy"
	"github.com/difflabai/confidential-safety/policy"
)

// config is the settings, parsed and checked.
type config struct {
	listen       string
	upstream     *url.URL // nil: the demo model
	upstreamCA   []byte   // PEM
	upstreamSPKI []byte
	bundle       *policy.Bundle
	tee          attest.TEE
	dataDir      string
	modelHash    string // "" without a model
	envoy        string
	logLevel     slog.Level
	logFormat    envoy.LogFormat

	limits
	metrics address // "" without

	extProcSocket, httpSocket, sdsSocket string // of serve

	envoyConfig       string // file; "" for none
	envoyConfigSHA256 string // in hex, once it was judged
}

// step reads one setting.
type step struct {
	key string
	do  func(value string) error
}

// parse turns the settings into a config. Its errors name the setting, and
// where it was set.
func (v values) parse() (*config, error) {
	c := &config{}
	for _, step := range append([]step{
		{"listen", c.parseListen},
		{"upstream", c.parseUpstream},
		{"upstream_ca", c.parseUpstreamCA},
		{"upstream_spki", digest(&c.upstreamSPKI)},
		{"tee", c.parseTEE},
		{"data_dir", c.parseDataDir},
		{"mode", parseMode},
		{"envoy", into(&c.envoy)},
		{"log_level", c.parseLogLevel},
		{"log_format", c.parseLogFormat},
		{"metrics_addr", c.parseMetrics},
		{"extproc_addr", socket(&c.extProcSocket)},
		{"http_addr", socket(&c.httpSocket)},
		{"sds_addr", socket(&c.sdsSocket)},
		{"envoy_config", into(&c.envoyConfig)},
		{"policy", c.parsePolicy},
		{"jurisdiction", c.parseJurisdiction},
		{"model_path", c.parseModel},
		{"expected_model_hash", c.parseModelHash},
	}, c.steps()...) {
		if err := step.do(v.value[step.key]); err != nil {
			var where *policy.Error
			if errors.As(err, &where) {
				return nil, err // names the policy's file and line
			}
			return nil, fmt.Errorf("%s: %w", v.origin[step.key], err)
		}
	}
	if err := c.checkUpstream(); err != nil {
		return nil, fmt.Errorf("%s: %w", v.origin["upstream"], err)
	}
	return c, c.checkSockets()
}

func (c *config) checkUpstream() error {
	ca, spki := len(c.upstreamCA) > 0, len(c.upstreamSPKI) > 0
	if c.upstream == nil {
		if ca || spki {
			return errors.New("--upstream-ca and --upstream-spki are of no use without it: name the model server's URL")
		}
		return nil
	}
	if err := envoy.CheckUpstream(c.upstream, ca, spki); err != nil {
		// The caller says already which setting it is.
		return errors.New(strings.TrimPrefix(err.Error(), "upstream: "))
	}
	return nil
}

func (c *config) checkSockets() error {
	picked := strings.HasSuffix(c.listen, ":0") // two ports, then
	if m := c.metrics.at; m == c.extProcSocket || m == c.httpSocket || m == c.sdsSocket || m == c.listen && !picked {
		return errors.New("--metrics-addr: it is also the address of another socket: choose another")
	}
	if c.extProcSocket == c.httpSocket || c.httpSocket == c.sdsSocket || c.sdsSocket == c.extProcSocket {
		return errors.New("--extproc-addr, --http-addr and --sds-addr: two of them are the same: choose three paths")
	}
	return nil
}

func (c *config) parseListen(s string) error {
	at, err := netip.ParseAddrPort(s)
	if err != nil {
		return fmt.Errorf("%q is no address: want ip:port, such as 127.0.0.1:8443", s)
	}
	if a := at.Addr(); a.Zone() != "" || a.Is4In6() || a.IsMulticast() {
		return fmt.Errorf("%q: Envoy cannot listen on an address with a zone, for many, or of IPv4 in the form of IPv6: want another", s)
	}
	c.listen = at.String()
	return nil
}

func (c *config) parseUpstream(s string) (err error) {
	if s == "" {
		return nil
	}
	if c.upstream, err = url.Parse(s); err != nil {
		return errors.New("not a URL: want one such as http://127.0.0.1:8000")
	}
	return nil
}

func (c *config) parseUpstreamCA(name string) (err error) {
	if name == "" {
		return nil
	}
	if c.upstreamCA, err = os.ReadFile(name); err != nil {
		return fmt.Errorf("%w: name the CA's certificate", err)
	}
	if !x509.NewCertPool().AppendCertsFromPEM(c.upstreamCA) {
		return fmt.Errorf("%s holds no certificate in PEM: name the CA's certificate", name)
	}
	if bytes.Contains(c.upstreamCA, []byte("PRIVATE KEY")) {
		return fmt.Errorf("%s holds a private key: name a file with the certificate alone", name)
	}
	return nil
}

func (c *config) parseTEE(s string) (err error) {
	c.tee, err = attest.ParseTEE(s)
	return err
}

func (c *config) parseDataDir(s string) error {
	if s == "" {
		state := os.Getenv("XDG_STATE_HOME")
		if state == "" {
			home, err := os.UserHomeDir()
			if err != nil {
				return errors.New("no home directory to put it in: name one")
			}
			state = filepath.Join(home, ".local", "state")
		}
		s = filepath.Join(state, "confidential-safety")
	}
	abs, err := filepath.Abs(s)
	c.dataDir = abs
	return err
}

func parseMode(s string) error {
	switch s {
	case "inference":
		return nil
	case "agent":
		return errors.New("agent mode is not in this version: use inference")
	default:
		return fmt.Errorf("mode %q: want inference", s)
	}
}

func (c *config) parseLogLevel(s string) error {
	level, ok := map[string]slog.Level{
		"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError,
	}[s]
	if !ok {
		return fmt.Errorf("log level %q: want debug, info, warn or error", s)
	}
	c.logLevel = level
	return nil
}

func (c *config) parseLogFormat(s string) error {
	switch c.logFormat = envoy.LogFormat(s); c.logFormat {
	case envoy.LogText, envoy.LogJSON:
		return nil
	default:
		return fmt.Errorf("log format %q: want text or json", s)
	}
}

func (c *config) parsePolicy(s string) (err error) {
	c.bundle, err = loadBundle(s)
	return err
}

// loadBundle reads the policy file with the given name or, without one, the
// embedded default.
func loadBundle(name string) (*policy.Bundle, error) {
	if name == "" {
		return policy.Default()
	}
	return policy.LoadFile(name)
}

var jurisdictionForm = regexp.MustCompile(`^[A-Z]{2}(-[A-Z0-9]{1,3})?$`)

func (c *config) parseJurisdiction(s string) error {
	if !jurisdictionForm.MatchString(s) {
		return fmt.Errorf("jurisdiction %q: want the letters of ISO 3166, such as US", s)
	}
	return c.bundle.Policy.CheckJurisdiction(s)
}

func (c *config) parseModel(path string) (err error) {
	if path == "" {
		return nil
	}
	if c.modelHash, err = attest.ModelHash(path); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: name the model's file or directory", err)
	}
	return err
}

func (c *config) parseModelHash(s string) error {
	var want []byte
	if err := digest(&want)(s); err != nil || want == nil {
		return err
	}
	switch c.modelHash {
	case hex.EncodeToString(want):
		return nil
	case "":
		return errors.New("there is no model to compare with: set --model-path")
	default:
		return fmt.Errorf("the model has another hash, %s: name the right model with --model-path or correct the hash", c.modelHash)
	}
}
