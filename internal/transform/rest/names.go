package rest

import "gatehouse/internal/plan"

// A headerRule says what becomes of a header by its name.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html
type headerRule uint16

const (
	// notForwarded: HTTP_PROXY doesn't pass the client's header on.
	notForwarded headerRule = 1 << iota
	// hidden: mapping expressions and templates see no such request header.
	hidden
	// unmappable: mapping the header to the integration is an error of the API's
	// configuration; unmappableToAWS the same for AWS integrations.
	unmappable
	unmappableToAWS
	// unsent: mapped to an HTTP backend, the header silently isn't sent.
	unsent
	// remapped: in a response the header gets another name; remappedProxy the
	// same for what an HTTP_PROXY backend answers.
	remapped
	remappedProxy
	// dropped: a response never has it; droppedProxy the same for what an
	// HTTP_PROXY backend answers.
	dropped
	droppedProxy
)

// remappedPrefix begins the new name of a response header that would be taken
// for the gateway's own.
const remappedPrefix = "x-amzn-Remapped-"

// ruleOf returns what becomes of a header. The length tells most names apart.
func ruleOf(name string) headerRule {
	switch len(name) {
	case 2:
		return is(name, "te", notForwarded|hidden|unmappableToAWS|unsent)
	case 3:
		return is(name, "via", notForwarded|droppedProxy)
	case 4:
		if plan.EqualFold(name, "host") {
			return notForwarded | remapped
		}
		return is(name, "date", remapped|remappedProxy)
	case 6:
		if plan.EqualFold(name, "expect") {
			return notForwarded | hidden | unmappableToAWS | unsent | remapped
		}
		return is(name, "server", notForwarded|hidden|remapped|remappedProxy)
	case 7:
		if plan.EqualFold(name, "trailer") {
			return notForwarded | hidden | remapped
		}
		return is(name, "upgrade", notForwarded|hidden|remapped)
	case 10:
		if plan.EqualFold(name, "connection") {
			return notForwarded | hidden | unmappableToAWS | unsent | remapped | remappedProxy
		}
		return is(name, "user-agent", remapped)
	case 11:
		return is(name, "content-md5", notForwarded|hidden|remapped)
	case 12:
		return is(name, "max-forwards", notForwarded|hidden|remapped)
	case 13:
		return is(name, "authorization", unmappableToAWS|remapped)
	case 14:
		return is(name, "content-length", notForwarded|hidden|unmappable|remapped|remappedProxy)
	case 15:
		// The gateway's own, for backends.
		return is(name, "x-amzn-trace-id", notForwarded)
	case 16:
		if plan.EqualFold(name, "www-authenticate") {
			return notForwarded | hidden | remapped | remappedProxy
		}
		if plan.EqualFold(name, "x-amzn-requestid") {
			return remapped | remappedProxy
		}
		// UNVERIFIED: that a backend's own encoding is passed back. Without the header
		// nobody could read the body; one list of dropped headers, which isn't all
		// recorded, has it.
		return is(name, "content-encoding", notForwarded)
	case 17:
		return is(name, "transfer-encoding", notForwarded|hidden|unmappable|dropped|droppedProxy)
	case 18:
		return is(name, "proxy-authenticate", notForwarded|hidden|unmappableToAWS|unsent|remapped)
	case 22:
		return is(name, "x-http-method-override", notForwarded)
	case 24:
		return is(name, "x-amzn-apigateway-api-id", notForwarded)
	}
	return 0
}

func is(name, known string, rule headerRule) headerRule {
	if plan.EqualFold(name, known) {
		return rule
	}
	return 0
}
