package compile

import (
	"crypto/tls"
	"errors"
	"fmt"

	"gatehouse/internal/definition"
	"gatehouse/internal/store"
)

// clientCertificate returns what backends are shown for the certificate of an id,
// nil for "". It is the stage's and no part of a deployment: another one is shown
// as soon as the stage names it.
func (c *Compiler) clientCertificate(tx *store.Tx, s store.Scope, id string) (*tls.Certificate, error) {
	if id == "" {
		return nil, nil
	}
	doc, err := definition.ClientCertificates.Get(tx, s, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, problem("Client certificate", id, errors.New("it is gone"))
	}
	if err != nil {
		return nil, fmt.Errorf("compile: client certificate %s: %w", id, err)
	}
	pair, err := tls.X509KeyPair([]byte(value(doc.PemEncodedCertificate)), []byte(doc.PrivateKey))
	if err != nil {
		return nil, problem("Client certificate", id, err)
	}
	return &pair, nil
}
