package authorize

import (
	"strconv"
	"time"

	"gatehouse/internal/plan"
	"gatehouse/internal/policy"
)

// requestKeys are the condition keys of a request, and behind them those of who
// signed it. It lives as long as one question to policies.
//
// Who reaches a private API comes over a VPC endpoint: aws:VpcSourceIp is its address
// then, in place of aws:SourceIp, and aws:SourceVpce and aws:SourceVpc are the endpoint
// and its network, where they are known. No other request has these keys.
//
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-resource-policies-conditions.html
type requestKeys struct {
	x   *plan.Exchange
	now time.Time
	// caller are the keys of who signed the request; nil when nobody did.
	caller policy.Keys
	one    [1]string
}

// Lookup implements policy.Keys.
func (k *requestKeys) Lookup(key string) (values []string, ok bool) {
	switch key {
	case "aws:sourceip":
		if k.x.Stage.API.Private {
			return nil, false
		}
		return k.is(k.x.Request.Source.Addr().Unmap().String())
	case "aws:vpcsourceip":
		if !k.x.Stage.API.Private {
			return nil, false
		}
		return k.is(k.x.Request.Source.Addr().Unmap().String())
	case "aws:sourcevpce":
		return k.known(k.x.VPCEndpoint)
	case "aws:sourcevpc":
		return k.known(k.x.VPC)
	case "aws:securetransport":
		return k.is(strconv.FormatBool(k.x.Request.Secure))
	case "aws:currenttime":
		return k.is(k.now.UTC().Format(time.RFC3339))
	case "aws:epochtime":
		return k.is(strconv.FormatInt(k.now.Unix(), 10))
	case "aws:useragent":
		return k.header("user-agent")
	case "aws:referer":
		return k.header("referer")
	}
	if k.caller == nil {
		return nil, false
	}
	switch key {
	case "aws:requestedregion":
		return k.is(k.x.Stage.API.Region)
	case "aws:resourceaccount":
		return k.is(k.x.Stage.API.AccountID)
	}
	return k.caller.Lookup(key)
}

func (k *requestKeys) is(value string) ([]string, bool) {
	k.one[0] = value
	return k.one[:], true
}

// known is a key that a request has if its value isn't "".
func (k *requestKeys) known(value string) ([]string, bool) {
	if value == "" {
		return nil, false
	}
	return k.is(value)
}

// header is a key that a request has if it has the header.
func (k *requestKeys) header(name string) ([]string, bool) {
	value, ok := k.x.Request.Headers.Lookup(name)
	if !ok {
		return nil, false
	}
	return k.is(value)
}
