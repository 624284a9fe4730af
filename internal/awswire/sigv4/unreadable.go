package sigv4

import (
	"crypto/sha256"
	"encoding/base64"
	"strings"
)

// parameters are those of the Authorization header.
type parameters struct {
	credential, headers, signature string
	// unequal tells that one of them isn't name=value, twice that one is given
	// more than once.
	unequal, twice bool
}

// readParameters reads what follows the algorithm in an Authorization header.
func readParameters(text string) (p parameters) {
	for text != "" {
		var part string
		part, text, _ = strings.Cut(text, ",")
		part = strings.Trim(part, " \t")
		if part == "" {
			continue
		}
		name, value, ok := strings.Cut(part, "=")
		if !ok {
			p.unequal = true
			return p
		}
		var to *string
		switch name {
		case "Credential":
			to = &p.credential
		case "SignedHeaders":
			to = &p.headers
		case "Signature":
			to = &p.signature
		default:
			continue
		}
		p.twice = p.twice || *to != ""
		*to = value
	}
	return p
}

// Unreadable is what AWS says of an Authorization header that is no signature
// of any version, and "" if it may be one. dated tells that there is a
// X-Amz-Date or a Date header.
func Unreadable(authorization string, dated bool) string {
	authorization = strings.Trim(authorization, " \t")
	_, rest, _ := strings.Cut(authorization, " ")
	if authorization == "" {
		return ""
	}
	p := readParameters(rest)
	return p.wrong(authorization, dated)
}

// wrong is Unreadable of a header with these parameters.
func (p *parameters) wrong(authorization string, dated bool) string {
	if p.unequal {
		// UNVERIFIED: that the whole header is hashed. Until late in 2025 AWS
		// repeated it.
		sum := sha256.Sum256([]byte(authorization))
		return "Invalid key=value pair (missing equal-sign) in Authorization header (hashed with SHA-256 and encoded with Base64): '" +
			base64.StdEncoding.EncodeToString(sum[:]) + "'."
	}
	text := ""
	for _, each := range [...]struct{ name, value string }{{"Credential", p.credential}, {"Signature", p.signature}, {"SignedHeaders", p.headers}} {
		if each.value == "" {
			text += "Authorization header requires '" + each.name + "' parameter. "
		}
	}
	if !dated {
		text += "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. "
	}
	if text == "" {
		return ""
	}
	return text + "Authorization=" + authorization
}
