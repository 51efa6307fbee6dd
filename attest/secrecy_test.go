package attest

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

// keyForms are the ways in which a part of the key could be printed.
func keyForms(k *TLSKey) []string {
	block, _ := pem.Decode(k.KeyPEM())
	lines := strings.Split(string(k.KeyPEM()), "\n")
	var forms []string
	for _, b := range [][]byte{k.KeyPEM()[:20], []byte(lines[1]), block.Bytes[40:60]} {
		decimal := strings.Trim(fmt.Sprintf("%d", b), "[]")
		forms = append(forms,
			string(b), hex.EncodeToString(b), strings.ToUpper(hex.EncodeToString(b)), decimal,
			strings.ReplaceAll(decimal, " ", ", "), strings.Trim(fmt.Sprintf("%#v", b), "[]byte{}"), fmt.Sprintf("%x", b))
	}
	return append(forms, "PRIVATE KEY")
}

func TestTLSKeyIsNotPrinted(t *testing.T) {
	k := newTLSKey(t)
	held := struct {
		Key  *TLSKey
		Copy TLSKey
		in   TLSKey
	}{k, *k, *k}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
		for _, a := range []any{k, *k, held, &held, []any{k, *k}, map[string]TLSKey{"k": *k}} {
			said := fmt.Sprintf(verb, a)
			for _, form := range keyForms(k) {
				if strings.Contains(said, form) {
					t.Errorf("%s of a %T shows the key", verb, a)
					break
				}
			}
		}
	}
	// The same search must find a key that is there.
	for _, verb := range []string{"%v", "%#v", "%s", "%x"} {
		said, found := fmt.Sprintf(verb, k.KeyPEM()), false
		for _, form := range keyForms(k) {
			found = found || strings.Contains(said, form)
		}
		if !found {
			t.Errorf("%s of the key is not seen", verb)
		}
	}
}

func TestTLSKeyIsNotLogged(t *testing.T) {
	k := newTLSKey(t)
	for _, tc := range []struct {
		name    string
		handler func(*bytes.Buffer) slog.Handler
		want    string
	}{
		{"text", func(b *bytes.Buffer) slog.Handler { return slog.NewTextHandler(b, nil) }, ` key="[tls key]" copy="[tls key]"` + "\n"},
		{"json", func(b *bytes.Buffer) slog.Handler { return slog.NewJSONHandler(b, nil) }, `"key":"[tls key]","copy":"[tls key]"}` + "\n"},
	} {
		var b bytes.Buffer
		slog.New(tc.handler(&b)).Info("m", "key", k, "copy", *k)
		if !strings.HasSuffix(b.String(), tc.want) {
			t.Errorf("%s: %s", tc.name, b.String())
		}
	}
}

func TestTLSKeyIsNotMarshalled(t *testing.T) {
	k := newTLSKey(t)
	text, err := json.Marshal(k)
	if err != nil {
		t.Fatal(err)
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(text, &fields); err != nil {
		t.Fatal(err)
	}
	for name := range fields {
		if name != "Chain" && name != "CA" && name != "SPKI" {
			t.Errorf("JSON has the field %s", name)
		}
	}
}
