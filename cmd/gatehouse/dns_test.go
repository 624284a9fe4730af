package main

import (
	"fmt"
	"net"
	"testing"
)

func TestLeadsHere(t *testing.T) {
	c := config{Domain: "Gw.example"}
	for name, want := range map[string]bool{
		"d-1.execute-api.us-east-1.amazonaws.com.":      true,
		"d-1.execute-api.cn-north-1.amazonaws.com.cn.":  true,
		"d111.cloudfront.net.":                          true,
		"a1b2.execute-api.gw.example.":                  true,
		"execute-api.gw.example.":                       false,
		"s3.amazonaws.com.":                             false,
		"execute-api.us-east-1.amazonaws.com.":          false,
		"d-1.execute-api.us-east-1.amazonaws.com.evil.": false,
		"example.test.":                                 false,
	} {
		if got := c.leadsHere(name); got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
}

// fakeListener listens nowhere.
type fakeListener struct {
	net.Listener
	addr net.TCPAddr
}

func (l fakeListener) Addr() net.Addr { return &l.addr }

func TestAnsweredAddresses(t *testing.T) {
	at := func(ip string) net.Listener { return fakeListener{addr: net.TCPAddr{IP: net.ParseIP(ip), Port: 1}} }
	for _, tt := range []struct {
		name      string
		addresses []string
		l         listeners
		want      string
	}{
		{"the shared one", nil, listeners{shared: at("127.0.0.1")}, "[127.0.0.1]"},
		{"that of traffic", nil, listeners{shared: at("127.0.0.1"), traffic: []net.Listener{at("192.0.2.1")}}, "[192.0.2.1]"},
		{"TLS first", nil, listeners{shared: at("127.0.0.1"), traffic: []net.Listener{at("192.0.2.1")}, trafficTLS: []net.Listener{at("2001:db8::1")}}, "[2001:db8::1]"},
		{"what the operator says", []string{"203.0.113.7", "2001:db8::7"}, listeners{shared: at("127.0.0.1")}, "[203.0.113.7 2001:db8::7]"},
	} {
		c := config{DNSAddress: tt.addresses}
		got, err := c.answeredAddresses(tt.l)
		if err != nil || fmt.Sprint(got) != tt.want {
			t.Errorf("%s: %v, %v, want %s", tt.name, got, err, tt.want)
		}
	}
	c := config{}
	if got, err := c.answeredAddresses(listeners{shared: at("0.0.0.0")}); err != nil || len(got) == 0 || got[0].IsUnspecified() {
		t.Errorf("everywhere: %v, %v", got, err)
	}
	c.DNSAddress = []string{"here"}
	if _, err := c.answeredAddresses(listeners{shared: at("127.0.0.1")}); err == nil {
		t.Error("a name was taken for an address")
	}
}
