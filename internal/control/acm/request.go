package acm

import (
	"context"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	api "gatehouse/internal/awsapi/acm"
	"gatehouse/internal/awswire"
	"gatehouse/internal/definition"
	"gatehouse/internal/store"
)

// requests finds what was requested with an idempotency token; the id is the
// token.
var requests = store.Kind[requestDoc]{Name: "acm/request"}

// A requestDoc is what a token stands for.
type requestDoc struct {
	// ID is the certificate's, and Hash of the whole request.
	ID, Hash string
	Time     time.Time
}

// tokenLife is how long a token stands for its request.
const tokenLife = time.Hour

// RequestCertificate makes a certificate, issued or to be issued.
func (s *Service) RequestCertificate(c *awswire.Call, in *api.RequestCertificateRequest) (*api.RequestCertificateResponse, error) {
	doc, err := s.newRequested(c, in)
	if err != nil {
		return nil, err
	}
	scope := scopeOf(c)
	hash, token := hashOf(in), value(in.IdempotencyToken)
	// Known before a key is made, which takes its time.
	if earlier, err := s.requested(c, scope, token, hash); earlier != "" || err != nil {
		return &api.RequestCertificateResponse{CertificateArn: new(arnOf(scope, earlier))}, err
	}
	if !s.patient && s.mayIssue(doc.DomainValidationOptions) {
		if err := s.issue(c, doc, nil, c.Time, func() error { return nil }); err != nil {
			return nil, fmt.Errorf("issue a certificate: %w", err)
		}
	}
	id, err := s.newID()
	if err != nil {
		return nil, err
	}
	doc.CertificateArn = new(arnOf(scope, id))
	err = s.store.Update(c, func(tx *store.Tx) error {
		if earlier, err := earlierRequest(tx, scope, token, hash, c.Time); earlier != "" || err != nil {
			doc.CertificateArn = new(arnOf(scope, earlier))
			return err
		}
		if token != "" {
			if err := requests.Put(tx, scope, &requestDoc{ID: id, Hash: hash, Time: c.Time}, token); err != nil {
				return err
			}
		}
		return definition.Certificates.Put(tx, scope, doc, id)
	})
	if err != nil {
		return nil, err
	}
	if *doc.Status == api.CertificateStatusPendingValidation {
		s.Wake()
	}
	return &api.RequestCertificateResponse{CertificateArn: doc.CertificateArn}, nil
}

// newRequested is the certificate that a request asks for.
func (s *Service) newRequested(c *awswire.Call, in *api.RequestCertificateRequest) (*definition.Certificate, error) {
	if in.CertificateAuthorityArn != nil {
		return nil, api.NewInvalidArnException("There are no private certificate authorities here: " + *in.CertificateAuthorityArn)
	}
	if in.ManagedBy != nil {
		return nil, api.NewInvalidParameterException("Certificates managed by " + *in.ManagedBy + " aren't served here.")
	}
	algorithm := or(in.KeyAlgorithm, api.KeyAlgorithmRSA2048)
	if !slices.Contains([]string{api.KeyAlgorithmRSA2048, api.KeyAlgorithmECPrime256v1, api.KeyAlgorithmECSecp384r1}, algorithm) {
		_, err := newKey(algorithm)
		return nil, err
	}
	names := []string{*in.DomainName}
	for _, name := range in.SubjectAlternativeNames {
		if !slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, name) }) {
			names = append(names, name)
		}
	}
	options, err := requestedOptions(in.Options)
	if err != nil {
		return nil, err
	}
	validations, err := newValidations(c.Account, names, or(in.ValidationMethod, api.ValidationMethodEmail), in.DomainValidationOptions)
	if err != nil {
		return nil, err
	}
	doc := &definition.Certificate{CertificateDetail: api.CertificateDetail{
		DomainName: in.DomainName, SubjectAlternativeNames: names, DomainValidationOptions: validations,
		Subject: new("CN=" + *in.DomainName), Issuer: new(pendingIssuer),
		CreatedAt: second(c.Time), Status: new(api.CertificateStatusPendingValidation), Type: new(api.CertificateTypeAmazonIssued),
		KeyAlgorithm: &algorithm, SignatureAlgorithm: new(signatureOf(algorithm)), Options: options,
		CertificateKeyPairOrigin: new(api.CertificateKeyPairOriginAWSManaged),
	}}
	return doc, addTags(&doc.Tags, in.Tags)
}

// pendingIssuer is the issuer of what isn't issued yet.
const pendingIssuer = "Amazon"

// signatureOf is how a certificate of an algorithm will be signed.
func signatureOf(algorithm string) string {
	if strings.HasPrefix(algorithm, "RSA") {
		return "SHA256WITHRSA"
	}
	return "SHA256WITHECDSA"
}

func requestedOptions(in *api.CertificateOptions) (*api.CertificateOptions, error) {
	out := &api.CertificateOptions{CertificateTransparencyLoggingPreference: new(api.CertificateTransparencyLoggingPreferenceEnabled), Export: new(api.CertificateExportDisabled)}
	if in == nil {
		return out, nil
	}
	if in.ValidationMethod != nil {
		return nil, api.NewInvalidParameterException("The validation method of a request isn't one of its options.") // UNVERIFIED wording
	}
	if in.CertificateTransparencyLoggingPreference != nil {
		out.CertificateTransparencyLoggingPreference = in.CertificateTransparencyLoggingPreference
	}
	if in.Export != nil {
		out.Export = in.Export
	}
	return out, nil
}

// requested finds an earlier request with the same token.
func (s *Service) requested(c *awswire.Call, scope store.Scope, token, hash string) (id string, err error) {
	err = s.store.View(c, func(tx *store.Tx) error {
		id, err = earlierRequest(tx, scope, token, hash, c.Time)
		return err
	})
	return id, err
}

// earlierRequest is the id of the certificate that the same request made less
// than an hour ago; another request with the token makes another certificate.
func earlierRequest(tx *store.Tx, scope store.Scope, token, hash string, at time.Time) (string, error) {
	if token == "" {
		return "", nil
	}
	doc, err := requests.Get(tx, scope, token)
	if errors.Is(err, store.ErrNotFound) {
		return "", nil
	}
	if err != nil || doc.Hash != hash || at.Sub(doc.Time) > tokenLife {
		return "", err
	}
	exists, err := definition.Certificates.Exists(tx, scope, doc.ID)
	if !exists {
		return "", err
	}
	return doc.ID, nil
}

func hashOf(in *api.RequestCertificateRequest) string {
	text, err := json.Marshal(in)
	if err != nil {
		return "" // texts always can be
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// newID makes a UUID (RFC 9562, version 4).
func (s *Service) newID() (string, error) {
	var b [16]byte
	if _, err := s.random.Read(b[:]); err != nil {
		return "", err
	}
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	text := hex.EncodeToString(b[:])
	return text[:8] + "-" + text[8:12] + "-" + text[12:16] + "-" + text[16:20] + "-" + text[20:], nil
}

// issue has the certificate signed, with a new key. begin is called once the
// issuer is about to try.
func (s *Service) issue(ctx context.Context, doc *definition.Certificate, replaces *x509.Certificate, at time.Time, begin func() error) error {
	o := Order{Names: make([]string, len(doc.SubjectAlternativeNames)), Replaces: replaces}
	for i, name := range doc.SubjectAlternativeNames {
		o.Names[i] = strings.ToLower(name)
	}
	var key crypto.Signer
	o.Key = func() (_ crypto.Signer, err error) {
		if err := begin(); err != nil {
			return nil, err
		}
		select {
		case s.making <- struct{}{}:
			defer func() { <-s.making }()
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		key, err = newKey(*doc.KeyAlgorithm)
		return key, err
	}
	ders, err := s.issuer.Issue(ctx, o)
	if err != nil {
		return err
	}
	return fill(doc, key, ders, at)
}
