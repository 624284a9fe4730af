package lambdaevent

import "gatehouse/internal/plan"

// appendClientCert appends `,"clientCert":{...}`, or nothing without one.
func appendClientCert(dst []byte, x *plan.Exchange) []byte {
	c := x.ClientCert
	if c == nil {
		return dst
	}
	dst = append(dst, `,"clientCert":`...)
	return appendCertificate(dst, c)
}

// appendAuthentication appends `,"authentication":{"clientCert":{...}}`, or
// nothing without a client certificate.
func appendAuthentication(dst []byte, x *plan.Exchange) []byte {
	if x.ClientCert == nil {
		return dst
	}
	dst = append(dst, `,"authentication":{"clientCert":`...)
	return append(appendCertificate(dst, x.ClientCert), '}')
}

func appendCertificate(dst []byte, c *plan.ClientCert) []byte {
	dst = append(dst, `{"clientCertPem":`...)
	dst = appendString(dst, c.PEM)
	dst = appendMember(dst, "subjectDN", c.SubjectDN)
	dst = appendMember(dst, "issuerDN", c.IssuerDN)
	dst = appendMember(dst, "serialNumber", c.SerialNumber)
	dst = append(dst, `,"validity":{"notBefore":`...)
	dst = appendString(dst, c.NotBefore)
	dst = appendMember(dst, "notAfter", c.NotAfter)
	return append(dst, '}', '}')
}
