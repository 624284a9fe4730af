package serve

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"strings"
)

// attributeNames are OpenSSL's short names of the attributes of names.
var attributeNames = map[string]string{
	"2.5.4.3": "CN", "2.5.4.4": "SN", "2.5.4.5": "serialNumber", "2.5.4.6": "C", "2.5.4.7": "L", "2.5.4.8": "ST", "2.5.4.9": "street",
	"2.5.4.10": "O", "2.5.4.11": "OU", "2.5.4.12": "title", "2.5.4.13": "description", "2.5.4.15": "businessCategory", "2.5.4.17": "postalCode",
	"2.5.4.41": "name", "2.5.4.42": "GN", "2.5.4.43": "initials", "2.5.4.44": "generationQualifier", "2.5.4.46": "dnQualifier",
	"2.5.4.65": "pseudonym", "2.5.4.97": "organizationIdentifier",
	"0.9.2342.19200300.100.1.1": "UID", "0.9.2342.19200300.100.1.25": "DC", "1.2.840.113549.1.9.1": "emailAddress",
	"1.3.6.1.4.1.311.60.2.1.1": "jurisdictionL", "1.3.6.1.4.1.311.60.2.1.2": "jurisdictionST", "1.3.6.1.4.1.311.60.2.1.3": "jurisdictionC",
}

// distinguishedName is the name in a certificate as AWS shows it: the parts in the
// certificate's own order, with commas and no spaces between, as in
// "C=US,ST=Washington,L=Seattle,O=Amazon Web Services,OU=Security,CN=My Client"
// (https://aws.amazon.com/blogs/compute/introducing-mutual-tls-authentication-for-amazon-api-gateway/).
// RFC 2253 has them the other way round. raw is the name's encoding, otherwise is
// returned where it can't be read.
// UNVERIFIED: what is escaped, and the names of attributes that no sample has.
func distinguishedName(raw []byte, otherwise string) string {
	var parts pkix.RDNSequence
	if rest, err := asn1.Unmarshal(raw, &parts); err != nil || len(rest) > 0 {
		return otherwise
	}
	var b strings.Builder
	for i, part := range parts {
		if i > 0 {
			b.WriteByte(',')
		}
		for j, attribute := range part {
			if j > 0 {
				b.WriteByte('+')
			}
			writeAttribute(&b, attribute)
		}
	}
	return b.String()
}

func writeAttribute(b *strings.Builder, a pkix.AttributeTypeAndValue) {
	id := a.Type.String()
	name, known := attributeNames[id]
	text, isText := a.Value.(string)
	if known && isText {
		b.WriteString(name)
		b.WriteByte('=')
		writeEscaped(b, text)
		return
	}
	b.WriteString(id)
	b.WriteByte('=')
	if der, err := asn1.Marshal(a.Value); err == nil {
		b.WriteByte('#')
		b.WriteString(hex.EncodeToString(der))
	}
}

// writeEscaped writes a value with what RFC 2253, section 2.4, escapes, and
// control characters as their two hexadecimal digits.
func writeEscaped(b *strings.Builder, text string) {
	for i := range len(text) {
		c := text[i]
		switch {
		case c < ' ' || c == 0x7f:
			b.WriteByte('\\')
			b.WriteString(strings.ToUpper(hex.EncodeToString([]byte{c})))
			continue
		case strings.IndexByte(`,+"\<>;`, c) >= 0, c == '#' && i == 0, c == ' ' && (i == 0 || i == len(text)-1):
			b.WriteByte('\\')
		}
		b.WriteByte(c)
	}
}
