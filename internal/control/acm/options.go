package acm

import (
	"slices"
	"strings"

	api "gatehouse/internal/awsapi/acm"
	"gatehouse/internal/awswire"
	"gatehouse/internal/definition"
)

// UpdateCertificateOptions changes whether a certificate is to be logged
// publicly. Whether it can be exported was decided when it was requested.
func (s *Service) UpdateCertificateOptions(c *awswire.Call, in *api.UpdateCertificateOptionsRequest) error {
	// UNVERIFIED: the words of the refusals.
	return s.change(c, in.CertificateArn, func(d *definition.Certificate) error {
		if value(d.Type) != api.CertificateTypeAmazonIssued {
			return api.NewInvalidStateException("Certificate " + *in.CertificateArn + " has no options that can change: it was imported.")
		}
		if in.Options.Export != nil && *in.Options.Export != value(d.Options.Export) {
			return invalid("Whether a certificate can be exported can't change after it was requested.")
		}
		if in.Options.ValidationMethod != nil {
			return invalid("The validation method of a certificate can't be changed here.")
		}
		if p := in.Options.CertificateTransparencyLoggingPreference; p != nil {
			d.Options.CertificateTransparencyLoggingPreference = p
		}
		return nil
	})
}

// ResendValidationEmail is for names that wait to be proven by e-mail. No mail
// leaves a gateway: its log tells the operator whom ACM would write to.
func (s *Service) ResendValidationEmail(c *awswire.Call, in *api.ResendValidationEmailRequest) error {
	doc, err := s.view(c, in.CertificateArn)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(doc.DomainValidationOptions, func(v api.DomainValidation) bool { return strings.EqualFold(*v.DomainName, *in.Domain) })
	b, domain := briefOf(doc), strings.ToLower(*in.ValidationDomain)
	bare := strings.TrimPrefix(strings.ToLower(*in.Domain), "*.")
	switch {
	case at < 0 || bare != domain && !strings.HasSuffix(bare, "."+domain):
		return api.NewInvalidDomainValidationOptionsException("The domain and the validation domain aren't ones of certificate " + *in.CertificateArn + ".") // UNVERIFIED wording
	case b.statusAt(c.Time) != api.CertificateStatusPendingValidation || value(doc.DomainValidationOptions[at].ValidationMethod) != api.ValidationMethodEmail:
		return api.NewInvalidStateException("Certificate " + *in.CertificateArn + " isn't waiting for an e-mail.") // UNVERIFIED wording
	}
	s.log.Info("a certificate waits to be validated by e-mail, which nothing sends here", "certificate", *doc.CertificateArn, "domain", *in.Domain)
	return nil
}
