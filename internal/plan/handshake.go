package plan

import (
	"crypto/tls"
	"crypto/x509"
	"strings"
	"sync/atomic"
	"time"
)

// A Handshake is what the parties of a TLS connection said and agreed on. A
// connection has one for all of its requests, which only read it.
type Handshake struct {
	// ServerName is the name that the client asked for, "" for none, in lower
	// case and without a dot at its end.
	ServerName string
	// Version is "TLSv1.3" and the like; CipherSuite the name of RFC 8446 or of
	// those before it, "TLS_AES_128_GCM_SHA256".
	Version, CipherSuite string
	// ClientCert is the certificate that the client showed and Chain the same
	// with those that it sent along; nil for none. The client has its key. Who
	// vouches for it, a truststore tells.
	ClientCert *ClientCert
	Chain      []*x509.Certificate

	// judged is what a truststore last said of Chain.
	judged atomic.Pointer[judgement]
}

// A ClientCert is a client's certificate as $context and events show it.
type ClientCert struct {
	PEM, SubjectDN, IssuerDN, SerialNumber string
	// NotBefore and NotAfter look like "May 28 12:30:02 2019 GMT".
	NotBefore, NotAfter string
}

// A Truststore says whose certificates a domain with mutual TLS takes.
type Truststore interface {
	// Check returns why a certificate isn't trusted at a time, in AWS's words;
	// nil if it is. chain begins with it, and has what its owner sent along.
	Check(chain []*x509.Certificate, at time.Time) error
}

// A judgement is what a truststore said, and how long that may be repeated.
type judgement struct {
	by    Truststore
	err   error
	until time.Time
}

// How long what a truststore said is repeated on a connection: who sends many
// requests doesn't have a certificate looked at each time. The authorities that
// vouch for one may end before it does, and aren't known here.
const (
	failureKept = time.Minute
	successKept = time.Hour
)

// check asks a truststore about the client's certificate, and again when the
// truststore is another, the certificate ends or what was said is old.
func (h *Handshake) check(store Truststore, at time.Time) error {
	if j := h.judged.Load(); j != nil && j.by == store && at.Before(j.until) {
		return j.err
	}
	j := &judgement{by: store, err: store.Check(h.Chain, at), until: at.Add(failureKept)}
	if j.err == nil {
		j.until = at.Add(successKept)
		if end := h.Chain[0].NotAfter; end.Before(j.until) {
			j.until = end
		}
	}
	h.judged.Store(j)
	return j.err
}

// admit tells whether a client of a connection may use the domain.
func (d *Domain) admit(x *Exchange) error {
	if d.Clients == nil {
		return nil
	}
	h := x.Request.TLS
	if h != nil {
		x.ClientCert = h.ClientCert
	}
	return d.judge(h, x.Start)
}

// judge tells whether a client may use the domain at a time.
func (d *Domain) judge(h *Handshake, at time.Time) error {
	if d.Clients == nil {
		return nil
	}
	if h == nil || h.ClientCert == nil {
		// A client that asked for another name in its handshake, where nobody
		// wanted a certificate, doesn't get around it by its Host.
		return &Fault{Kind: Forbidden, Reason: "Access denied. Reason: " + d.Name + " wants a client certificate"}
	}
	if err := h.check(d.Clients, at); err != nil {
		return &Fault{Kind: Forbidden, Reason: "Access denied. Reason: " + err.Error(), Cause: err}
	}
	return nil
}

// StillAdmits tells whether a client may go on with what it began by the host of a
// custom domain name, a WebSocket perhaps: nil if it may. h is the handshake of a
// connection whose client showed a certificate, nil of any other. Whom a truststore
// let in, nobody vouches for once the domain is gone.
//
// UNVERIFIED: what AWS does with open connections. Requests on a connection that was
// made before are judged by the truststore in force, and a WebSocket is no other.
func (p *Plan) StillAdmits(host string, h *Handshake, at time.Time) error {
	name, _ := splitHost(host)
	d := p.DomainOf(name)
	switch {
	case d != nil:
		return d.judge(h, at)
	case h != nil:
		return &Fault{Kind: Forbidden, Reason: "Access denied. Reason: the domain " + name + " is gone"}
	}
	return nil
}

// admitted refuses a request whose API is STRICT unless the handshake named the
// host that it is for: the API's own, or that of a domain.
func (x *Exchange) admitted() error {
	if x.API.Strict && !x.sameName() {
		return x.misdirected()
	}
	return nil
}

// misdirected refuses a request to a host that the handshake didn't name.
// UNVERIFIED: the status.
func (x *Exchange) misdirected() error {
	return &Fault{Kind: Forbidden, Reason: "the TLS handshake didn't name " + x.DomainName + ", as its endpoint access mode STRICT wants"}
}

// sameName tells whether a client of a STRICT domain or API asked for the host in
// its handshake that its request is for. A plain connection asked for none.
func (x *Exchange) sameName() bool {
	h := x.Request.TLS
	return h != nil && h.ServerName == lowerHost(x.DomainName)
}

// A Handshaker is how connections to a name begin. What it is made of outlives plans.
type Handshaker interface {
	// Config is how hands are shaken with a client.
	Config(*tls.ClientHelloInfo) (*tls.Config, error)
}

// TLSOf is how connections shake hands whose clients ask for a name: as the custom
// domain of that name does, else as the API does whose own host it is. It is nil
// for the gateway's own way. entrance is the listener's. It takes no lock.
func (p *Plan) TLSOf(name string, entrance *Entrance) Handshaker {
	if d := p.DomainOf(name); d != nil && !entrance.isPrivate() {
		return d.TLS
	}
	if d := p.privateDomainOf(name, entrance); d != nil {
		return d.TLS
	}
	id, ok := hostID(name)
	if !ok {
		return nil
	}
	api, ok := p.apiOfHost(id)
	if !ok {
		// The alias of an API with a VPC endpoint, perhaps.
		id, _, ok = strings.Cut(strings.ToLower(id), "-"+vpcEndpointPrefix)
		if !ok {
			return nil
		}
		if api, ok = p.API(id); !ok {
			return nil
		}
	}
	return api.TLS
}
