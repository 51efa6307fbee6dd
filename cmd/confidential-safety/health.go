package main

import (
	"encoding/json"
	"net/http"
	"sync/atomic"
)

// health answers whether requests are welcome.
type health struct {
	policyHash, policyVersion, tee string
	verdicts                       *verdictLog
	draining                       atomic.Bool
}

func (h *health) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	status, word := http.StatusOK, "ok"
	switch {
	case h.draining.Load():
		status, word = http.StatusServiceUnavailable, "draining"
	case !h.verdicts.writable(r.Context()):
		status, word = http.StatusServiceUnavailable, "refusing"
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// A client that has gone is no concern of ours.
	_ = json.NewEncoder(w).Encode(struct {
		Status        string `json:"status"`
		PolicyHash    string `json:"policy_hash"`
		PolicyVersion string `json:"policy_version"`
		TEE           string `json:"tee"`
	}{word, h.policyHash, h.policyVersion, h.tee})
}

// services are the HTTP paths that the sidecar answers itself.
func services(h *health) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /v1/health", h)
	return mux
}
