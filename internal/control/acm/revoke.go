package acm

import (
	"errors"
	"strings"

	api "gatehouse/internal/awsapi/acm"
	"gatehouse/internal/awswire"
	"gatehouse/internal/definition"
	"gatehouse/internal/store"
)

// RevokeCertificate revokes a certificate that was exported and that nothing here
// uses: first at its authority, where that can be told, then here.
func (s *Service) RevokeCertificate(c *awswire.Call, in *api.RevokeCertificateRequest) (*api.RevokeCertificateResponse, error) {
	id, err := idOf(c, in.CertificateArn)
	if err != nil {
		return nil, err
	}
	arn := *in.CertificateArn
	if !s.claim(arn) {
		// UNVERIFIED wording.
		return nil, api.NewConflictException("Certificate " + arn + " is being issued or renewed. Try again when that is done.")
	}
	defer s.release(arn)
	doc, err := s.revocable(c, id)
	if err != nil {
		return nil, err
	}
	if err := s.revokeAtIssuer(c, doc, *in.RevocationReason); err != nil {
		return nil, err
	}
	err = s.change(c, in.CertificateArn, func(d *definition.Certificate) error {
		d.Status, d.RevokedAt, d.RevocationReason = new(api.CertificateStatusRevoked), second(c.Time), in.RevocationReason
		return nil
	})
	if err != nil {
		return nil, err
	}
	s.log.Info("a certificate was revoked", "certificate", arn, "reason", *in.RevocationReason)
	return &api.RevokeCertificateResponse{CertificateArn: in.CertificateArn}, nil
}

// claim takes a certificate for one who works on it, unless somebody does.
func (s *Service) claim(arn string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running[arn] != nil {
		return false
	}
	s.running[arn] = make(chan struct{})
	return true
}

// revocable reads a certificate and refuses one that can't be revoked.
func (s *Service) revocable(c *awswire.Call, id string) (doc *definition.Certificate, err error) {
	var users []string
	err = s.store.View(c, func(tx *store.Tx) error {
		if doc, err = get(tx, scopeOf(c), id); err == nil {
			users, err = definition.CertificateUses(tx, *doc.CertificateArn)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	// UNVERIFIED: the words. That it must have been exported, AWS documents; that
	// it can't be in use follows from the errors of its model.
	if value(doc.Type) != api.CertificateTypeAmazonIssued || !doc.Exported {
		return nil, invalid("Certificate " + *doc.CertificateArn + " can't be revoked: only certificates that were exported can.")
	}
	b := briefOf(doc)
	if status := b.statusAt(c.Time); status != api.CertificateStatusIssued {
		return nil, invalid("Certificate " + *doc.CertificateArn + " can't be revoked: its status is " + status + ".")
	}
	if len(users) > 0 {
		return nil, api.NewResourceInUseException("Certificate " + *doc.CertificateArn + " in account " + c.Account + " is in use.")
	}
	return doc, nil
}

// revokeAtIssuer tells the authority, if it is one that can tell others.
func (s *Service) revokeAtIssuer(c *awswire.Call, doc *definition.Certificate, reason string) error {
	revoker, ok := s.issuer.(Revoker)
	if !ok {
		return nil
	}
	certs, err := parseCertificates([]byte(doc.Body))
	if err != nil {
		return err
	}
	key, err := parseKey([]byte(doc.PrivateKey))
	if err != nil {
		return err
	}
	err = revoker.Revoke(c, certs[0], key, reason)
	if refusal, ok := errors.AsType[*Refusal](err); ok {
		return invalid("The certificate authority doesn't revoke for the reason " + strings.ToUpper(refusal.Reason) + ".")
	}
	if _, ok := errors.AsType[*Delay](err); ok {
		return api.NewThrottlingException("The certificate authority is busy. Try again later.")
	}
	return err
}
