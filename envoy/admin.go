package envoy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Admin speaks to the admin interface of an Envoy on its Unix socket.
type Admin struct{ client *http.Client }

// NewAdmin returns a client for the socket at path.
func NewAdmin(path string) *Admin {
	var d net.Dialer
	return &Admin{&http.Client{
		Timeout: 5 * time.Second,
		Transport: &http.Transport{
			DisableKeepAlives: true,
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				return d.DialContext(ctx, "unix", path)
			},
		},
	}}
}

// maxAdminReply bounds what is read of a reply, in bytes.
const maxAdminReply = 1 << 20

func (a *Admin) ask(ctx context.Context, method, path string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, "http://admin"+path, http.NoBody)
	if err != nil {
		return nil, err
	}
	resp, err := a.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close() //nolint:errcheck // it was only read
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAdminReply+1))
	if err != nil {
		return nil, err
	}
	if len(body) > maxAdminReply {
		return nil, errors.New("envoy admin: the reply is too long")
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("envoy admin: status %d", resp.StatusCode)
	}
	return body, nil
}

// Ready returns nil once Envoy is live, with its key and its listener.
func (a *Admin) Ready(ctx context.Context) error {
	_, err := a.ask(ctx, http.MethodGet, "/ready")
	return err
}

// Address returns where the listener listens, with the port that was chosen.
func (a *Admin) Address(ctx context.Context) (string, error) {
	body, err := a.ask(ctx, http.MethodGet, "/listeners?format=json")
	if err != nil {
		return "", err
	}
	var reply struct {
		Listeners []struct {
			Name  string `json:"name"`
			Local struct {
				Socket struct {
					Address string `json:"address"`
					Port    uint16 `json:"port_value"`
				} `json:"socket_address"`
			} `json:"local_address"`
		} `json:"listener_statuses"`
	}
	if err := json.Unmarshal(body, &reply); err != nil {
		return "", fmt.Errorf("envoy admin: listeners: %w", err)
	}
	for _, l := range reply.Listeners {
		if s := l.Local.Socket; l.Name == listenerName && s.Port != 0 {
			return net.JoinHostPort(s.Address, strconv.Itoa(int(s.Port))), nil
		}
	}
	return "", errors.New("envoy admin: the listener is not there yet")
}

// Drain makes Envoy close each connection after the response that it carries.
// New ones are still served.
func (a *Admin) Drain(ctx context.Context) error {
	_, err := a.ask(ctx, http.MethodPost, "/healthcheck/fail")
	return err
}

// activeRequests is the gauge of requests that are in Envoy, until the last
// byte of the response is with the kernel.
const activeRequests = "http.inspected.downstream_rq_active"

// Active returns how many requests are in Envoy.
func (a *Admin) Active(ctx context.Context) (int, error) {
	body, err := a.ask(ctx, http.MethodGet, "/stats?filter=^"+activeRequests+"$")
	if err != nil {
		return 0, err
	}
	value, ok := strings.CutPrefix(strings.TrimSpace(string(body)), activeRequests+": ")
	if !ok {
		return 0, errors.New("envoy admin: no count of active requests")
	}
	n, err := strconv.ParseUint(value, 10, 31)
	if err != nil {
		return 0, fmt.Errorf("envoy admin: active requests: %w", err)
	}
	return int(n), nil
}
