package conformance

import (
	"context"
	"crypto/ecdh"
	"crypto/rand"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/crypto/cryptobyte"
)

// A Hello is the first message of a handshake, written byte by byte: what no
// client of crypto/tls says. What the server answers first is all there is.
type Hello struct {
	// Name is the server's, as it stands; nil for none.
	Name *string `yaml:"name"`
	// Versions are what is offered, as in "1.2", and 3.0, which is SSL; "1.2" by
	// default.
	Versions []string `yaml:"versions"`
	// Suites are by openssl's names or numbers, as in "0x5600".
	Suites    []string `yaml:"suites"`
	Groups    []string `yaml:"groups"`
	Protocols []string `yaml:"protocols"`

	// Version and Suite are what the server chooses.
	Version string `yaml:"version"`
	Suite   string `yaml:"suite"`
	// Alert is what it says instead, in crypto/tls's words.
	Alert string `yaml:"alert"`
}

// moreSuites are suites that crypto/tls hasn't, and what stands among them.
var moreSuites = map[string]uint16{
	"AES256-SHA256": 0x003d, "ECDHE-ECDSA-AES256-SHA384": 0xc024, "ECDHE-RSA-AES256-SHA384": 0xc028, "RC4-MD5": 0x0004,
	"FALLBACK_SCSV": tls.TLS_FALLBACK_SCSV,
}

// suiteOf is a suite's number.
func suiteOf(name string) (uint16, error) {
	if id, ok := suites[name]; ok {
		return id, nil
	}
	if id, ok := moreSuites[name]; ok {
		return id, nil
	}
	n, err := strconv.ParseUint(name, 0, 16)
	if err != nil {
		return 0, fmt.Errorf("%q is no suite", name)
	}
	return uint16(n), nil
}

// helloVersions are versions, SSL among them.
func helloVersions(names []string) ([]uint16, error) {
	var list []uint16
	for _, name := range names {
		if name == "3.0" {
			list = append(list, 0x0300)
			continue
		}
		v, ok := versions[name]
		if !ok {
			return nil, fmt.Errorf("%q is no version", name)
		}
		list = append(list, v)
	}
	return list, nil
}

func (h *Hello) check() error {
	if (h.Alert == "") == (h.Version == "" && h.Suite == "") || len(h.Suites) == 0 {
		return errors.New("hello has suites, and the alert or the version and the suite that come")
	}
	_, err := h.message("")
	if err == nil && h.Suite != "" {
		_, err = suiteOf(h.Suite)
	}
	return err
}

// message is the record with the message. name is the server's with its
// placeholders replaced.
func (h *Hello) message(name string) ([]byte, error) {
	offered, err := helloVersions(h.Versions)
	if err != nil {
		return nil, err
	}
	if offered == nil {
		offered = []uint16{tls.VersionTLS12}
	}
	var ids []uint16
	for _, name := range h.Suites {
		id, err := suiteOf(name)
		if err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	exchanges, err := known("groups", groups, h.Groups)
	if err != nil {
		return nil, err
	}
	if exchanges == nil {
		exchanges = []tls.CurveID{tls.X25519, tls.CurveP256, tls.CurveP384}
	}
	share, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	random := make([]byte, 32)
	if _, err := rand.Read(random); err != nil {
		return nil, err
	}
	highest := slices.Max(offered)
	var b cryptobyte.Builder
	b.AddUint8(22)
	b.AddUint16(min(highest, tls.VersionTLS10))
	b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
		b.AddUint8(1)
		b.AddUint24LengthPrefixed(func(b *cryptobyte.Builder) {
			b.AddUint16(min(highest, tls.VersionTLS12))
			b.AddBytes(random)
			b.AddUint8(0)
			b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
				for _, id := range ids {
					b.AddUint16(id)
				}
			})
			b.AddBytes([]byte{1, 0}) // no compression
			b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { h.extensions(b, name, offered, exchanges, share.PublicKey().Bytes()) })
		})
	})
	return b.Bytes()
}

// The extensions that are sent.
const (
	serverNameExtension        = 0
	groupsExtension            = 10
	pointFormatsExtension      = 11
	signaturesExtension        = 13
	protocolsExtension         = 16
	supportedVersionsExtension = 43
	keyShareExtension          = 51
)

func (h *Hello) extensions(b *cryptobyte.Builder, name string, offered []uint16, exchanges []tls.CurveID, share []byte) {
	add := func(kind uint16, content func(*cryptobyte.Builder)) {
		b.AddUint16(kind)
		b.AddUint16LengthPrefixed(content)
	}
	if h.Name != nil {
		add(serverNameExtension, func(b *cryptobyte.Builder) {
			b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
				b.AddUint8(0)
				b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes([]byte(name)) })
			})
		})
	}
	add(groupsExtension, func(b *cryptobyte.Builder) {
		b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
			for _, id := range exchanges {
				b.AddUint16(uint16(id))
			}
		})
	})
	add(pointFormatsExtension, func(b *cryptobyte.Builder) { b.AddBytes([]byte{1, 0}) })
	add(signaturesExtension, func(b *cryptobyte.Builder) {
		b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
			for _, s := range []tls.SignatureScheme{tls.ECDSAWithP256AndSHA256, tls.PSSWithSHA256, tls.PKCS1WithSHA256, tls.PSSWithSHA384, tls.PKCS1WithSHA384, tls.PKCS1WithSHA1} {
				b.AddUint16(uint16(s))
			}
		})
	})
	if h.Protocols != nil {
		add(protocolsExtension, func(b *cryptobyte.Builder) {
			b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
				for _, p := range h.Protocols {
					b.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes([]byte(p)) })
				}
			})
		})
	}
	if !slices.Contains(offered, tls.VersionTLS13) {
		return
	}
	add(supportedVersionsExtension, func(b *cryptobyte.Builder) {
		b.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) {
			for _, v := range offered {
				b.AddUint16(v)
			}
		})
	})
	add(keyShareExtension, func(b *cryptobyte.Builder) {
		b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
			b.AddUint16(uint16(tls.X25519))
			b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(share) })
		})
	})
}

// hello says hello and compares what comes.
func (r *run) hello(ctx context.Context, s *Step) error {
	base, err := r.base(s)
	if err != nil {
		return err
	}
	name := ""
	if s.Hello.Name != nil {
		if name, err = expand(*s.Hello.Name, r.lookup); err != nil {
			return err
		}
	}
	message, err := s.Hello.message(name)
	if err != nil {
		return err
	}
	conn, err := dial(ctx, base, r.world.Address, nil)
	if err != nil {
		return err
	}
	defer conn.Close() //nolint:errcheck // there is nothing more to say
	if err := errors.Join(conn.SetDeadline(time.Now().Add(answerTimeout)), writeAll(conn, message)); err != nil {
		return err
	}
	got, err := readHello(conn)
	if err != nil {
		return err
	}
	want := s.Hello
	switch {
	case got.Alert != want.Alert:
		return fmt.Errorf("the server says %+v, want the alert %q", *got, want.Alert)
	case want.Version != "" && got.Version != want.Version:
		return fmt.Errorf("the server chooses version %s, want %s", got.Version, want.Version)
	}
	if want.Suite == "" {
		return nil
	}
	wanted, err := suiteOf(want.Suite)
	if err == nil && got.Suite != fmt.Sprintf("%#04x", wanted) {
		err = fmt.Errorf("the server chooses suite %s, want %s, %#04x", got.Suite, want.Suite, wanted)
	}
	return err
}

// readHello reads the server's first record.
func readHello(conn net.Conn) (*Hello, error) {
	var head [5]byte
	if _, err := io.ReadFull(conn, head[:]); err != nil {
		return nil, fmt.Errorf("nothing is answered: %w", err)
	}
	body := make([]byte, binary.BigEndian.Uint16(head[3:]))
	if _, err := io.ReadFull(conn, body); err != nil {
		return nil, err
	}
	if head[0] == 21 && len(body) == 2 {
		return &Hello{Alert: strings.TrimPrefix(tls.AlertError(body[1]).Error(), "tls: ")}, nil
	}
	var message, session, extensions cryptobyte.String
	var kind, compression uint8
	var version, suite uint16
	s := cryptobyte.String(body)
	if head[0] != 22 || !s.ReadUint8(&kind) || kind != 2 || !s.ReadUint24LengthPrefixed(&message) ||
		!message.ReadUint16(&version) || !message.Skip(32) || !message.ReadUint8LengthPrefixed(&session) ||
		!message.ReadUint16(&suite) || !message.ReadUint8(&compression) {
		return nil, fmt.Errorf("the first record is no ServerHello: %x %x", head, body)
	}
	for message.ReadUint16LengthPrefixed(&extensions); !extensions.Empty(); {
		var kind uint16
		var content cryptobyte.String
		if !extensions.ReadUint16(&kind) || !extensions.ReadUint16LengthPrefixed(&content) {
			return nil, errors.New("the extensions can't be read")
		}
		if kind == supportedVersionsExtension {
			content.ReadUint16(&version)
		}
	}
	return &Hello{Version: strings.TrimPrefix(tls.VersionName(version), "TLS "), Suite: fmt.Sprintf("%#04x", suite)}, nil
}
