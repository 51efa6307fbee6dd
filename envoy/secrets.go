package envoy

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	tlsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	secretv3 "github.com/envoyproxy/go-control-plane/envoy/service/secret/v3"
	"github.com/envoyproxy/go-control-plane/pkg/cache/types"
	"github.com/envoyproxy/go-control-plane/pkg/cache/v3"
	"github.com/envoyproxy/go-control-plane/pkg/resource/v3"
	"github.com/envoyproxy/go-control-plane/pkg/server/v3"
	"google.golang.org/grpc"
)

// Secrets hands the listener's TLS key to Envoy by secret discovery, so that
// the key is never written. Serve it on a private socket only: whoever can
// connect gets the key.
type Secrets struct{ cache cache.SnapshotCache }

// NewSecrets returns a server that makes Envoy wait until SetTLS is called. (A
// LinearCache would answer at once that there is no secret. Envoy 1.40 waits all
// the same.)
func NewSecrets() *Secrets {
	return &Secrets{cache.NewSnapshotCache(false, anyNode{}, nil)}
}

// anyNode makes every client the same: there is one Envoy.
type anyNode struct{}

// ID implements cache.NodeHash.
func (anyNode) ID(*corev3.Node) string { return "envoy" }

// SetTLS gives Envoy the certificate chain and its key, both PEM. Connections
// that Envoy has accepted keep what they have.
func (s *Secrets) SetTLS(chain, key []byte) error {
	if len(chain) == 0 || len(key) == 0 {
		return errors.New("tls secret: empty certificate or key")
	}
	// An Envoy that outlives a sidecar tells the next one what version it has,
	// so a version is not to mean two keys.
	sum := sha256.Sum256(chain)
	snapshot, err := cache.NewSnapshot(hex.EncodeToString(sum[:]), map[resource.Type][]types.Resource{
		resource.SecretType: {&tlsv3.Secret{
			Name: tlsSecretName,
			Type: &tlsv3.Secret_TlsCertificate{TlsCertificate: &tlsv3.TlsCertificate{
				CertificateChain: inline(chain),
				PrivateKey:       inline(key),
			}},
		}},
	})
	if err == nil {
		err = s.cache.SetSnapshot(context.Background(), anyNode{}.ID(nil), snapshot)
	}
	if err != nil {
		// The library's words may quote the resource.
		return errors.New("tls secret: could not be set")
	}
	return nil
}

// Register makes g serve secret discovery and no other service of xDS. ctx ends
// the streams.
func (s *Secrets) Register(ctx context.Context, g *grpc.Server) {
	secretv3.RegisterSecretDiscoveryServiceServer(g, server.NewServer(ctx, s.cache, nil))
}

func inline(b []byte) *corev3.DataSource {
	return &corev3.DataSource{Specifier: &corev3.DataSource_InlineBytes{InlineBytes: b}}
}

// String keeps the key out of whatever prints this.
func (s *Secrets) String() string { return fmt.Sprintf("%T", s) }
