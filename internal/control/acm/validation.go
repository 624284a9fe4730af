package acm

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	api "gatehouse/internal/awsapi/acm"
)

// newValidations are how each name of a request is to be proven.
func newValidations(account string, names []string, method string, options []api.DomainValidationOption) ([]api.DomainValidation, error) {
	if method == api.ValidationMethodHTTP {
		return nil, api.NewInvalidParameterException("HTTP validation is for certificates that CloudFront manages.") // UNVERIFIED wording
	}
	domains := map[string]string{}
	for _, o := range options {
		name, domain := strings.ToLower(value(o.DomainName)), strings.ToLower(value(o.ValidationDomain))
		bare := strings.TrimPrefix(name, "*.")
		// UNVERIFIED: the words of both.
		if !slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, name) }) {
			return nil, api.NewInvalidDomainValidationOptionsException("The domain name " + value(o.DomainName) + " isn't one of the certificate's.")
		}
		if bare != domain && !strings.HasSuffix(bare, "."+domain) {
			return nil, api.NewInvalidDomainValidationOptionsException("The validation domain " + value(o.ValidationDomain) + " isn't " + value(o.DomainName) + " or above it.")
		}
		domains[name] = domain
	}
	var out []api.DomainValidation
	for _, name := range names {
		v := api.DomainValidation{
			DomainName: new(name), ValidationDomain: new(name), ValidationMethod: new(method), ValidationStatus: new(api.DomainStatusPendingValidation),
		}
		if domain := domains[strings.ToLower(name)]; domain != "" {
			v.ValidationDomain = new(domain)
		}
		if method == api.ValidationMethodDNS {
			v.ResourceRecord = record(account, name)
		} else {
			v.ValidationEmails = emails(*v.ValidationDomain)
		}
		out = append(out, v)
	}
	return out, nil
}

// record proves a name. An account has one record for a name and its wildcard,
// whichever certificates they are in, so that a zone needs it only once.
func record(account, name string) *api.ResourceRecord {
	name = strings.TrimPrefix(strings.ToLower(name), "*.")
	sum := sha256.Sum256([]byte(account + "/" + name))
	zone := make([]byte, 10)
	for i := range zone {
		zone[i] = 'a' + sum[i]%26
	}
	left, right := hex.EncodeToString(sum[:16]), hex.EncodeToString(sum[16:])
	return &api.ResourceRecord{
		Name:  new("_" + left + "." + name + "."),
		Type:  new(api.RecordTypeCname),
		Value: new("_" + right + "." + string(zone) + ".acm-validations.aws."),
	}
}

// emails are where ACM writes to about a domain.
func emails(domain string) []string {
	domain = strings.TrimPrefix(domain, "*.")
	var out []string
	for _, box := range [...]string{"administrator", "hostmaster", "postmaster", "webmaster", "admin"} {
		out = append(out, box+"@"+domain)
	}
	return out
}

// mayIssue tells whether all names are proven.
func (s *Service) mayIssue(names []api.DomainValidation) bool {
	if s.validator == nil {
		return true
	}
	for _, v := range names {
		if v.ResourceRecord == nil || !s.validator.Validated(*v.ResourceRecord) {
			return false
		}
	}
	return true
}
