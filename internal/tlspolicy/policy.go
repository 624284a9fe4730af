package tlspolicy

import (
	"crypto/tls"
	"slices"
)

// A Policy is what connections of a security policy may agree on.
type Policy struct {
	// Min and Max are versions, as in crypto/tls.
	Min, Max uint16
	// Suites are the cipher suites of TLS 1.2 and before. TLS 1.3 has all of its
	// three, ChaCha20 only without FIPS.
	Suites []uint16
	// Groups are the key exchanges.
	Groups []tls.CurveID
	// FIPS asks for algorithms that FIPS 140-3 approves of.
	FIPS bool
}

// The families of cipher suites. Missing are those that crypto/tls has not:
// ECDHE-ECDSA-AES256-SHA384, ECDHE-RSA-AES256-SHA384 and AES256-SHA256. A client
// that has one of them has its AES-128 or GCM sibling, too.
var (
	ecdheGCM = []uint16{
		tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
		tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
	}
	ecdheChaCha20 = []uint16{
		tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
	}
	ecdheCBC = []uint16{
		tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256,
	}
	ecdheSHA1 = []uint16{
		tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA, tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA,
		tls.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA, tls.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA,
	}
	rsaGCM    = []uint16{tls.TLS_RSA_WITH_AES_128_GCM_SHA256, tls.TLS_RSA_WITH_AES_256_GCM_SHA384}
	rsaCBC    = []uint16{tls.TLS_RSA_WITH_AES_128_CBC_SHA256}
	rsaSHA1   = []uint16{tls.TLS_RSA_WITH_AES_128_CBC_SHA, tls.TLS_RSA_WITH_AES_256_CBC_SHA}
	tripleDES = []uint16{tls.TLS_RSA_WITH_3DES_EDE_CBC_SHA}
)

// The key exchanges. The hybrid ones are those that AWS names for its load
// balancers' policies of the same age.
var (
	classic     = []tls.CurveID{tls.X25519, tls.CurveP256, tls.CurveP384, tls.CurveP521}
	hybrid      = []tls.CurveID{tls.X25519MLKEM768, tls.SecP256r1MLKEM768, tls.SecP384r1MLKEM1024}
	classicFIPS = []tls.CurveID{tls.CurveP256, tls.CurveP384, tls.CurveP521}
)

// policies are all there are.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-security-policies-list.html
//
// UNVERIFIED: the suites of TLS 1.2 of the policies without "PFS". Those with
// "Ext2" and of 2021 have what AWS's load balancers have under these names, those
// with "EDGE" what CloudFront has.
var policies = map[string]*Policy{
	"TLS_1_0": {
		Min: tls.VersionTLS10, Max: tls.VersionTLS13, Groups: classic,
		Suites: slices.Concat(ecdheGCM, ecdheCBC, ecdheSHA1, rsaGCM, rsaCBC, rsaSHA1, tripleDES),
	},
	"TLS_1_2": {
		Min: tls.VersionTLS12, Max: tls.VersionTLS13, Groups: classic,
		Suites: slices.Concat(ecdheGCM, ecdheCBC, rsaGCM, rsaCBC),
	},
	"SecurityPolicy_TLS13_1_3_2025_09": {
		Min: tls.VersionTLS13, Max: tls.VersionTLS13, Groups: classic,
	},
	"SecurityPolicy_TLS13_1_3_FIPS_2025_09": {
		Min: tls.VersionTLS13, Max: tls.VersionTLS13, Groups: classicFIPS, FIPS: true,
	},
	"SecurityPolicy_TLS13_1_2_PFS_PQ_2025_09": {
		Min: tls.VersionTLS12, Max: tls.VersionTLS13, Groups: slices.Concat(hybrid, classic),
		Suites: ecdheGCM,
	},
	"SecurityPolicy_TLS13_1_2_FIPS_PFS_PQ_2025_09": {
		Min: tls.VersionTLS12, Max: tls.VersionTLS13, Groups: slices.Concat(hybrid, classicFIPS), FIPS: true,
		Suites: ecdheGCM,
	},
	"SecurityPolicy_TLS13_1_2_PQ_2025_09": {
		Min: tls.VersionTLS12, Max: tls.VersionTLS13, Groups: slices.Concat(hybrid, classic),
		Suites: slices.Concat(ecdheGCM, ecdheCBC, rsaGCM, rsaCBC),
	},
	"SecurityPolicy_TLS13_1_2_FIPS_PQ_2025_09": {
		Min: tls.VersionTLS12, Max: tls.VersionTLS13, Groups: slices.Concat(hybrid, classicFIPS), FIPS: true,
		Suites: slices.Concat(ecdheGCM, ecdheCBC, rsaGCM, rsaCBC),
	},
	"SecurityPolicy_TLS13_1_2_Ext2_PQ_2025_09": {
		Min: tls.VersionTLS12, Max: tls.VersionTLS13, Groups: slices.Concat(hybrid, classic),
		Suites: slices.Concat(ecdheGCM, ecdheCBC, ecdheSHA1, rsaGCM, rsaCBC, rsaSHA1),
	},
	"SecurityPolicy_TLS13_1_2_Ext2_FIPS_PQ_2025_09": {
		Min: tls.VersionTLS12, Max: tls.VersionTLS13, Groups: slices.Concat(hybrid, classicFIPS), FIPS: true,
		Suites: slices.Concat(ecdheGCM, ecdheCBC, ecdheSHA1, rsaGCM, rsaCBC, rsaSHA1),
	},
	"SecurityPolicy_TLS13_1_2_2021_06": {
		Min: tls.VersionTLS12, Max: tls.VersionTLS13, Groups: classic,
		Suites: slices.Concat(ecdheGCM, ecdheCBC),
	},
	"SecurityPolicy_TLS13_2025_EDGE": {
		Min: tls.VersionTLS13, Max: tls.VersionTLS13, Groups: slices.Concat(hybrid, classic),
	},
	"SecurityPolicy_TLS12_PFS_2025_EDGE": {
		Min: tls.VersionTLS12, Max: tls.VersionTLS13, Groups: slices.Concat(hybrid, classic),
		Suites: slices.Concat(ecdheGCM, ecdheChaCha20),
	},
	"SecurityPolicy_TLS12_2018_EDGE": {
		Min: tls.VersionTLS12, Max: tls.VersionTLS13, Groups: classic,
		Suites: slices.Concat(ecdheGCM, ecdheCBC, rsaGCM, rsaCBC),
	},
}

// Lookup returns the policy of a name; ok is false for a name that isn't AWS's.
// It must not be written.
func Lookup(name string) (p *Policy, ok bool) {
	p, ok = policies[name]
	return p, ok
}

// Names returns the names of all policies, sorted.
func Names() []string {
	names := make([]string, 0, len(policies))
	for name := range policies {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
