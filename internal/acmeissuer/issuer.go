package acmeissuer

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/mholt/acmez/v3"
	"github.com/mholt/acmez/v3/acme"
)

// orderTimeout is how long an order may take, from the account to the
// certificate.
const orderTimeout = 3 * time.Minute

// Options say which authority signs.
type Options struct {
	// Dir is where the account's key is kept; it is made if missing.
	Dir string
	// Directory is the URL of the authority's directory.
	Directory string
	// Email is whom the authority may write to; "" gives none. Whoever configures
	// an authority agrees to its terms.
	Email string
	// RootCAs are what the directory's own certificate is checked against; nil is
	// the system's.
	RootCAs *x509.CertPool
}

// An Issuer orders certificates. It is safe for concurrent use.
type Issuer struct {
	options    Options
	client     acmez.Client
	challenges *Challenges

	mu      sync.Mutex
	account *acme.Account // nil until the first order
}

// New returns an issuer; it calls nobody yet.
func New(o Options) *Issuer {
	challenges := &Challenges{}
	transport := &http.Transport{
		Proxy:           http.ProxyFromEnvironment,
		TLSClientConfig: &tls.Config{RootCAs: o.RootCAs, MinVersion: tls.VersionTLS12}, TLSHandshakeTimeout: 20 * time.Second,
		ResponseHeaderTimeout: 30 * time.Second, ForceAttemptHTTP2: true,
	}
	return &Issuer{options: o, challenges: challenges, client: acmez.Client{
		Client:           &acme.Client{Directory: o.Directory, UserAgent: "gatehouse", HTTPClient: &http.Client{Transport: transport, Timeout: time.Minute}},
		ChallengeSolvers: challenges.solvers(),
	}}
}

// Challenges are what listeners answer the authority with.
func (i *Issuer) Challenges() *Challenges { return i.challenges }

// ErrWildcard tells that a name can't be proven by answering at it.
var ErrWildcard = errors.New("an authority wants names with a star proven by DNS records, which this gateway doesn't write")

// Issue orders a certificate of the key for the names. It returns the
// certificate and its chain in DER. What the authority says is an error that
// [ProblemOf] knows.
func (i *Issuer) Issue(ctx context.Context, key crypto.Signer, names []string) ([][]byte, error) {
	for _, name := range names {
		if strings.HasPrefix(name, "*.") {
			return nil, fmt.Errorf("%s: %w", name, ErrWildcard)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, orderTimeout)
	defer cancel()
	account, err := i.signUp(ctx)
	if err != nil {
		return nil, fmt.Errorf("account at %s: %w", i.options.Directory, err)
	}
	chains, err := i.client.ObtainCertificateForSANs(ctx, account, key, names)
	if err != nil {
		return nil, fmt.Errorf("order at %s: %w", i.options.Directory, err)
	}
	var ders [][]byte
	if len(chains) > 0 {
		for block, rest := pem.Decode(chains[0].ChainPEM); block != nil; block, rest = pem.Decode(rest) {
			ders = append(ders, block.Bytes)
		}
	}
	if len(ders) == 0 {
		return nil, fmt.Errorf("order at %s: the answer has no certificate", i.options.Directory)
	}
	return ders, nil
}

// ProblemOf is what an authority called an error: the last part of the problem's
// type, as in "caa" or "rejectedIdentifier" (RFC 8555, 6.7); "" for one that is
// no authority's.
func ProblemOf(err error) string {
	problem, ok := errors.AsType[acme.Problem](err)
	if !ok {
		return ""
	}
	return problem.Type[strings.LastIndexByte(problem.Type, ':')+1:]
}

// signUp is the account, known or new: an authority knows one by its key.
func (i *Issuer) signUp(ctx context.Context) (acme.Account, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.account != nil {
		return *i.account, nil
	}
	key, err := i.accountKey()
	if err != nil {
		return acme.Account{}, err
	}
	wanted := acme.Account{TermsOfServiceAgreed: true, PrivateKey: key}
	if i.options.Email != "" {
		wanted.Contact = []string{"mailto:" + i.options.Email}
	}
	account, err := i.client.NewAccount(ctx, wanted)
	if err != nil {
		return acme.Account{}, err
	}
	i.account = &account
	return account, nil
}

// accountKey reads or makes the key of the account at the directory.
func (i *Issuer) accountKey() (crypto.Signer, error) {
	sum := sha256.Sum256([]byte(i.options.Directory))
	file := filepath.Join(i.options.Dir, "account-"+hex.EncodeToString(sum[:8])+".pem")
	text, err := os.ReadFile(file)
	if err == nil {
		block, _ := pem.Decode(text)
		if block == nil {
			return nil, fmt.Errorf("%s holds no key", file)
		}
		return x509.ParseECPrivateKey(block.Bytes)
	}
	if !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return nil, err
	}
	return key, writeKey(file, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}))
}

// writeKey writes a file as a whole, for the owner alone.
func writeKey(file string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(file), ".account-*") // 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) //nolint:errcheck // gone already when all went well
	_, err = f.Write(text)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), file)
}
