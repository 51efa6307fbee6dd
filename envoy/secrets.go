package envoy

import (
	"context"
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
type Secrets struct{ cache *cache.LinearCache }

// NewSecrets returns a server that makes Envoy wait until SetTLS is called.
func NewSecrets() *Secrets {
	return &Secrets{cache.NewLinearCache(resource.SecretType)}
}

// SetTLS gives Envoy the certificate chain and its key, both PEM. Connections
// that Envoy has accepted keep what they have.
func (s *Secrets) SetTLS(chain, key []byte) error {
	if len(chain) == 0 || len(key) == 0 {
		return errors.New("tls secret: empty certificate or key")
	}
	var secret types.Resource = &tlsv3.Secret{
		Name: TLSSecretName,
		Type: &tlsv3.Secret_TlsCertificate{TlsCertificate: &tlsv3.TlsCertificate{
			CertificateChain: inline(chain),
			PrivateKey:       inline(key),
		}},
	}
	if err := s.cache.UpdateResource(TLSSecretName, secret); err != nil {
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
