package serve

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"testing"
)

func TestDistinguishedName(t *testing.T) {
	type attribute = pkix.AttributeTypeAndValue
	one := func(id asn1.ObjectIdentifier, value any) pkix.RelativeDistinguishedNameSET {
		return pkix.RelativeDistinguishedNameSET{{Type: id, Value: value}}
	}
	c, st, l, o, ou, cn := asn1.ObjectIdentifier{2, 5, 4, 6}, asn1.ObjectIdentifier{2, 5, 4, 8}, asn1.ObjectIdentifier{2, 5, 4, 7}, asn1.ObjectIdentifier{2, 5, 4, 10}, asn1.ObjectIdentifier{2, 5, 4, 11}, asn1.ObjectIdentifier{2, 5, 4, 3}
	for _, test := range []struct {
		name pkix.RDNSequence
		want string
	}{
		{nil, ""},
		// The sample of AWS's announcement.
		{
			pkix.RDNSequence{one(c, "US"), one(st, "Washington"), one(l, "Seattle"), one(o, "Amazon Web Services"), one(ou, "Security"), one(cn, "My Client")},
			"C=US,ST=Washington,L=Seattle,O=Amazon Web Services,OU=Security,CN=My Client",
		},
		{pkix.RDNSequence{one(cn, "me"), one(c, "SE")}, "CN=me,C=SE"},
		{pkix.RDNSequence{one(cn, "me"), one(ou, "a"), one(ou, "b")}, "CN=me,OU=a,OU=b"},
		{pkix.RDNSequence{{attribute{Type: cn, Value: "me"}, attribute{Type: ou, Value: "a"}}}, "OU=a+CN=me"}, // the encoding sorts them
		{pkix.RDNSequence{one(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 1}, "a@b.test"), one(asn1.ObjectIdentifier{2, 5, 4, 5}, "7")}, "emailAddress=a@b.test,serialNumber=7"},
		{pkix.RDNSequence{one(cn, ` a,b+"c"\<d>;e# `)}, `CN=\ a\,b\+\"c\"\\\<d\>\;e#\ `},
		{pkix.RDNSequence{one(cn, "#a\r\nb: c\x7f")}, `CN=\#a\0D\0Ab: c\7F`},
		{pkix.RDNSequence{one(cn, "Bücher")}, "CN=Bücher"},
		{pkix.RDNSequence{one(asn1.ObjectIdentifier{1, 2, 3}, "x")}, "1.2.3=#130178"},
		{pkix.RDNSequence{one(cn, 7)}, "2.5.4.3=#020107"},
	} {
		raw, err := asn1.Marshal(test.name)
		if err != nil {
			t.Fatal(err)
		}
		if got := distinguishedName(raw, "otherwise"); got != test.want {
			t.Errorf("got %s, want %s", got, test.want)
		}
	}
	if got := distinguishedName([]byte{0x30}, "otherwise"); got != "otherwise" {
		t.Errorf("of nonsense: %s", got)
	}
}
