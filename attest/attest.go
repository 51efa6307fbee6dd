// Package attest makes what a client verifies before it sends a prompt: today
// the TLS key of the listener, made in memory at every start, and the digest of
// the model that is served.
//
// A private key never leaves memory: never write one to a file, a log or an
// error, and hand it to Envoy by secret discovery only. This package sees no
// prompt and no answer, and must not import what does.
package attest
