package apigatewayv2

import (
	"strings"

	"gatehouse/internal/awsapi/apigatewayv2"
)

const maxCORSAge = 86_400

// checkCORS refuses a CORS configuration that browsers or AWS wouldn't have.
func checkCORS(cors *apigatewayv2.Cors) error {
	if cors == nil {
		return nil
	}
	for _, origin := range cors.AllowOrigins {
		if err := checkOrigin(origin); err != nil {
			return err
		}
		if origin == "*" && value(cors.AllowCredentials) {
			return badRequest("allow-credentials is not supported if 'allow-origin' is *")
		}
	}
	// UNVERIFIED: the words of the errors below and in checkOrigin.
	for _, method := range cors.AllowMethods {
		if method != "*" && !isToken(method) {
			return badRequest("Invalid CORS configuration: %q is not an HTTP method", method)
		}
	}
	for _, header := range append(append([]string(nil), cors.AllowHeaders...), cors.ExposeHeaders...) {
		if !isToken(header) {
			return badRequest("Invalid CORS configuration: %q is not a header name", header)
		}
	}
	if age := value(cors.MaxAge); age < -1 || age > maxCORSAge {
		return badRequest("Invalid CORS configuration: maxAge must be between -1 and %d", maxCORSAge)
	}
	return nil
}

// checkOrigin refuses what no browser sends as an Origin, unless it is one of
// the three wildcards.
func checkOrigin(origin string) error {
	switch origin {
	case "*", "http://*", "https://*":
		return nil
	}
	scheme, host, ok := strings.Cut(origin, "://")
	if !ok || scheme == "" || host == "" || strings.ContainsAny(origin, "* \t,\r\n") || strings.ContainsAny(host, "/?#") {
		return badRequest("Invalid CORS configuration: %q is not an origin; write *, http://*, https://* or scheme://host[:port]", origin)
	}
	return nil
}

// isToken tells whether text can be a method or a header name (RFC 9110 5.6.2).
func isToken(text string) bool {
	for i := range len(text) {
		if c := text[i]; c <= ' ' || c >= 0x7f || strings.IndexByte(`"(),/:;<=>?@[\]{}`, c) >= 0 {
			return false
		}
	}
	return text != ""
}
