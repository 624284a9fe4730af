package acm_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"log/slog"
	"math/big"
	"strings"
	"sync"
	"testing"
	"time"

	api "gatehouse/internal/awsapi/acm"
	"gatehouse/internal/awswire"
	"gatehouse/internal/control/acm"
	"gatehouse/internal/definition"
	"gatehouse/internal/localca"
	"gatehouse/internal/seal"
	"gatehouse/internal/store"
	"gatehouse/internal/store/sqlite"
)

const account = "123456789012"

// A fixture is a service on a database of its own. Its call is made over and
// over; time is moved by hand.
type fixture struct {
	*acm.Service
	*awswire.Call
	t         testing.TB
	backend   store.Backend
	sealer    store.Sealer
	store     *store.Store
	directory *acm.Directory
	authority *localca.Authority
	issuer    *fakeIssuer
	log       bytes.Buffer
	close     func()
	mu        sync.Mutex
	now       time.Time
}

// A fakeIssuer is the local authority, unless it is told to fail.
type fakeIssuer struct {
	*localca.Authority
	mu       sync.Mutex
	err      error
	asked    int           // how often
	names    []string      // the first one of each order
	now      int           // how many it is asked for now
	most     int           // that there were at once
	hangs    chan struct{} // takes a value when it begins to wait for its end, if not nil
	life     time.Duration // of what is signed; zero is the authority's
	clock    func() time.Time
	replaced *x509.Certificate // by the last order that was fulfilled
	// wrong, if not nil, is for whom it signs instead.
	wrong func(key crypto.Signer, names []string) (crypto.Signer, []string)
}

func (i *fakeIssuer) Issue(ctx context.Context, o acm.Order) ([][]byte, error) {
	i.mu.Lock()
	i.asked++
	i.names = append(i.names, o.Names[0])
	i.now++
	i.most = max(i.most, i.now)
	fails := i.err
	i.mu.Unlock()
	defer func() {
		i.mu.Lock()
		defer i.mu.Unlock()
		i.now--
	}()
	if delay, ok := errors.AsType[*acm.Delay](fails); ok && delay.Wait == 0 {
		return nil, fails
	}
	key, err := o.Key()
	if err != nil {
		return nil, err
	}
	if i.hangs != nil {
		i.hangs <- struct{}{}
		<-ctx.Done()
		return nil, ctx.Err()
	}
	if fails != nil {
		return nil, fails
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.replaced = o.Replaces
	if i.wrong != nil {
		key, o.Names = i.wrong(key, o.Names)
	}
	if i.life == 0 {
		return i.Authority.Issue(ctx, key, o.Names)
	}
	now := i.clock()
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()), DNSNames: o.Names, NotBefore: now, NotAfter: now.Add(i.life),
	}, &x509.Certificate{}, key.Public(), key)
	return [][]byte{der}, err
}

// times is how often it was asked.
func (i *fakeIssuer) times() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.asked
}

func (i *fakeIssuer) fail(err error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.err = err
}

func (f *fixture) clock() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.now
}

// at sets the time.
func (f *fixture) at(now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now, f.Time = now, now
}

// pass moves time, and looks after certificates then.
func (f *fixture) pass(d time.Duration) {
	f.t.Helper()
	f.mu.Lock()
	f.now = f.now.Add(d)
	f.Time = f.now
	f.mu.Unlock()
	ok(f.t, f.Keep(context.Background()))
}

func open(t testing.TB, dir string, change func(o *acm.Options)) *fixture {
	t.Helper()
	db, err := sqlite.Open(context.Background(), dir)
	ok(t, err)
	sealer, err := seal.New(bytes.Repeat([]byte{7}, 32))
	ok(t, err)
	f := &fixture{t: t, backend: db, sealer: sealer, directory: &acm.Directory{}, now: time.Date(2026, 11, 27, 8, 0, 0, 0, time.UTC)}
	f.store, err = store.Open(context.Background(), db, store.Options{Sealer: sealer, Prepare: f.directory.Prepare})
	ok(t, err)
	ok(t, f.store.View(context.Background(), f.directory.Load))
	f.authority, err = localca.Open(localca.Options{Dir: dir + "/ca", Clock: f.clock})
	ok(t, err)
	f.issuer = &fakeIssuer{Authority: f.authority, clock: f.clock}
	options := acm.Options{
		Store: f.store, Directory: f.directory, Issuer: f.issuer, Clock: f.clock, Every: time.Hour,
		Log: slog.New(slog.NewTextHandler(&f.log, nil)),
	}
	if change != nil {
		change(&options)
	}
	f.Service = acm.New(options)
	f.close = sync.OnceFunc(func() { f.Service.Close(); f.store.Close() })
	t.Cleanup(f.close)
	f.Call = &awswire.Call{Context: context.Background(), Account: account, Region: "eu-central-1", Time: f.now}
	return f
}

// request is one for a certificate with a key that is quickly made.
func request(names ...string) *api.RequestCertificateRequest {
	return &api.RequestCertificateRequest{
		DomainName: &names[0], SubjectAlternativeNames: names[1:], ValidationMethod: new("DNS"), KeyAlgorithm: new(api.KeyAlgorithmECPrime256v1),
	}
}

// make requests a certificate and returns its ARN.
func (f *fixture) make(in *api.RequestCertificateRequest) *string {
	f.t.Helper()
	out, err := f.RequestCertificate(f.Call, in)
	ok(f.t, err)
	return out.CertificateArn
}

func (f *fixture) describe(arn *string) *api.CertificateDetail {
	f.t.Helper()
	out, err := f.DescribeCertificate(f.Call, &api.DescribeCertificateRequest{CertificateArn: arn})
	ok(f.t, err)
	return out.Certificate
}

// use has a domain name use certificates, and none but these.
func (f *fixture) use(domain string, arns ...*string) {
	f.t.Helper()
	ok(f.t, f.store.Update(context.Background(), func(tx *store.Tx) error {
		for e, err := range definition.DomainCertificates.Everywhere(tx) {
			if err != nil {
				return err
			}
			if e.ID[1] != domain {
				continue
			}
			if err := definition.DomainCertificates.Delete(tx, e.Scope, e.ID...); err != nil {
				return err
			}
		}
		for _, arn := range arns {
			users := &definition.Reference{ID: "arn:aws:apigateway:" + f.Region + "::/domainnames/" + domain}
			if err := definition.DomainCertificates.Put(tx, store.Scope{}, users, *arn, domain); err != nil {
				return err
			}
		}
		return nil
	}))
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// fails wants an error with a code and a part of its message.
func fails(t testing.TB, err error, code, part string) {
	t.Helper()
	e, is := errors.AsType[*awswire.Error](err)
	if !is || e.Code != code || !strings.Contains(e.Message, part) {
		t.Errorf("error %v, want %s with %q", err, code, part)
	}
}
