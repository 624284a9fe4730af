package apigateway

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"maps"
	"math/big"
	"time"

	"gatehouse/internal/awsapi/apigateway"
	"gatehouse/internal/awswire"
	"gatehouse/internal/definition"
	"gatehouse/internal/store"
)

const (
	certificateBits     = 2048
	certificateLifetime = 365 * 24 * time.Hour
)

// GenerateClientCertificate makes a key pair with which the gateway can show
// itself to backends.
func (s *Service) GenerateClientCertificate(c *awswire.Call, in *apigateway.GenerateClientCertificateRequest) (*apigateway.ClientCertificate, error) {
	certificate := &definition.ClientCertificate{}
	certificate.Description = nonEmpty(in.Description)
	certificate.Tags = maps.Clone(in.Tags)
	certificate.CreatedDate = now(c)
	certificate.ExpirationDate = new(certificate.CreatedDate.Add(certificateLifetime))
	// It takes a while, so it isn't done in the transaction.
	if err := generateCertificate(certificate); err != nil {
		return nil, err
	}
	err := s.store.Update(c, func(tx *store.Tx) error {
		id, err := s.freeID(childIDLength, func(id string) (bool, error) {
			return definition.ClientCertificates.Exists(tx, scope(c), id)
		})
		if err != nil {
			return err
		}
		certificate.ClientCertificateId = &id
		return definition.ClientCertificates.Put(tx, scope(c), certificate, id)
	})
	if err != nil {
		return nil, err
	}
	return certificateView(certificate), nil
}

// generateCertificate fills in the certificate and its key, which sign
// themselves.
func generateCertificate(certificate *definition.ClientCertificate) error {
	key, err := rsa.GenerateKey(rand.Reader, certificateBits)
	if err != nil {
		return fmt.Errorf("apigateway: key of a client certificate: %w", err)
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return fmt.Errorf("apigateway: serial number of a client certificate: %w", err)
	}
	template := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: "ApiGateway"},
		NotBefore:    *certificate.CreatedDate,
		NotAfter:     *certificate.ExpirationDate,
		KeyUsage:     x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		// Backends trust the certificate itself.
		BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return fmt.Errorf("apigateway: client certificate: %w", err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return fmt.Errorf("apigateway: key of a client certificate: %w", err)
	}
	certificate.PemEncodedCertificate = new(string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	certificate.PrivateKey = string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}))
	return nil
}

// GetClientCertificate returns one certificate.
func (s *Service) GetClientCertificate(c *awswire.Call, in *apigateway.GetClientCertificateRequest) (*apigateway.ClientCertificate, error) {
	var certificate *definition.ClientCertificate
	err := s.store.View(c, func(tx *store.Tx) (err error) {
		certificate, err = getCertificate(tx, c, value(in.ClientCertificateId))
		return err
	})
	if err != nil {
		return nil, err
	}
	return certificateView(certificate), nil
}

// GetClientCertificates lists the certificates of the account and region.
func (s *Service) GetClientCertificates(c *awswire.Call, in *apigateway.GetClientCertificatesRequest) (*apigateway.ClientCertificates, error) {
	out := &apigateway.ClientCertificates{}
	err := s.store.View(c, func(tx *store.Tx) (err error) {
		out.Items, out.Position, err = list(tx, scope(c), definition.ClientCertificates, pageRequest{in.Limit, in.Position},
			func(e store.Entry[definition.ClientCertificate]) apigateway.ClientCertificate {
				return *certificateView(e.Doc)
			})
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

var certificateRules = patchRules[definition.ClientCertificate]{refuse: refuseListing, rules: []patchRule[definition.ClientCertificate]{
	{path: "/description", ops: opReplace},
}}

// UpdateClientCertificate patches a certificate's description.
func (s *Service) UpdateClientCertificate(c *awswire.Call, in *apigateway.UpdateClientCertificateRequest) (*apigateway.ClientCertificate, error) {
	var certificate *definition.ClientCertificate
	err := s.store.Update(c, func(tx *store.Tx) (err error) {
		id := value(in.ClientCertificateId)
		if certificate, err = getCertificate(tx, c, id); err != nil {
			return err
		}
		if err := certificateRules.apply(certificate, in.PatchOperations); err != nil {
			return err
		}
		return definition.ClientCertificates.Put(tx, scope(c), certificate, id)
	})
	if err != nil {
		return nil, err
	}
	return certificateView(certificate), nil
}

// DeleteClientCertificate removes a certificate that no stage shows, of a REST or of
// a WebSocket API.
func (s *Service) DeleteClientCertificate(c *awswire.Call, in *apigateway.DeleteClientCertificateRequest) error {
	return s.store.Update(c, func(tx *store.Tx) error {
		id := value(in.ClientCertificateId)
		if _, err := getCertificate(tx, c, id); err != nil {
			return err
		}
		for stage, err := range definition.RestStages.All(tx, scope(c)) {
			if err != nil {
				return err
			}
			if value(stage.Doc.ClientCertificateId) == id {
				// UNVERIFIED: that it is refused, and the words.
				return badRequest("Client certificate %s is in use by stage %s of API %s", id, *stage.Doc.StageName, stage.ID[0])
			}
		}
		for stage, err := range definition.Stages.All(tx, scope(c)) {
			if err != nil {
				return err
			}
			if value(stage.Doc.ClientCertificateId) == id {
				return badRequest("Client certificate %s is in use by stage %s of API %s", id, *stage.Doc.StageName, stage.ID[0])
			}
		}
		return definition.ClientCertificates.Delete(tx, scope(c), id)
	})
}

func getCertificate(tx *store.Tx, c *awswire.Call, id string) (*definition.ClientCertificate, error) {
	certificate, err := definition.ClientCertificates.Get(tx, scope(c), id)
	// UNVERIFIED: the words.
	return certificate, missing(err, "Invalid Client Certificate identifier specified")
}

// certificateView is the shape as answers carry it, which never has the key.
func certificateView(certificate *definition.ClientCertificate) *apigateway.ClientCertificate {
	view := certificate.ClientCertificate
	return &view
}
