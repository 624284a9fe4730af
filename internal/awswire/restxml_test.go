package awswire_test

import (
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	api "gatehouse/internal/awsapi/route53"
	"gatehouse/internal/awswire"
)

// zones answers two operations of route53, as its service does.
type zones struct {
	api.Unimplemented
	changed *api.ChangeResourceRecordSetsRequest
}

func (z *zones) ChangeResourceRecordSets(_ *awswire.Call, in *api.ChangeResourceRecordSetsRequest) (*api.ChangeResourceRecordSetsResponse, error) {
	z.changed = in
	return nil, api.NewInvalidChangeBatch("[<no>]")
}

func (z *zones) CreateHostedZone(_ *awswire.Call, in *api.CreateHostedZoneRequest) (*api.CreateHostedZoneResponse, error) {
	return &api.CreateHostedZoneResponse{
		HostedZone:    &api.HostedZone{Id: new("/hostedzone/Z1"), Name: in.Name},
		DelegationSet: &api.DelegationSet{NameServers: []string{"a", "b"}},
		Location:      new("https://route53.amazonaws.com/2013-04-01/hostedzone/Z1"),
	}, nil
}

func (z *zones) ChangeTagsForResource(*awswire.Call, *api.ChangeTagsForResourceRequest) (*api.ChangeTagsForResourceResponse, error) {
	return &api.ChangeTagsForResourceResponse{}, nil
}

// scope signs for root in the open mode.
const scope = "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/route53/aws4_request, SignedHeaders=host;x-amz-date, Signature=0000000000000000000000000000000000000000000000000000000000000000"

func answer(z *zones, method, target, body string) *httptest.ResponseRecorder {
	h := awswire.NewHandler(awswire.Options{
		Services: []*awswire.Service{api.NewService(z)}, Auth: awswire.Auth{Open: true}, RequestID: func() string { return "id" },
	})
	req := httptest.NewRequest(method, "http://localhost"+target, strings.NewReader(body))
	req.Header.Set("Authorization", scope)
	req.Header.Set("X-Amz-Date", "20260101T000000Z")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, req)
	return w
}

const batch = `<?xml version="1.0" encoding="UTF-8"?>
<ChangeResourceRecordSetsRequest xmlns="https://route53.amazonaws.com/doc/2013-04-01/"><ChangeBatch><Comment>a &amp; b</Comment><Changes>
<Change><Action>CREATE</Action><ResourceRecordSet><Name>a.example.test</Name><Type>A</Type><TTL> 60 </TTL>
<ResourceRecords><ResourceRecord><Value>192.0.2.1</Value></ResourceRecord><ResourceRecord><Value>192.0.2.2</Value></ResourceRecord></ResourceRecords>
</ResourceRecordSet></Change></Changes></ChangeBatch></ChangeResourceRecordSetsRequest>`

func TestRestXMLInput(t *testing.T) {
	z := &zones{}
	w := answer(z, "POST", "/2013-04-01/hostedzone/Z1/rrset/", batch)
	want := &api.ChangeResourceRecordSetsRequest{HostedZoneId: new("Z1"), ChangeBatch: &api.ChangeBatch{
		Comment: new("a & b"),
		Changes: []api.Change{{Action: new("CREATE"), ResourceRecordSet: &api.ResourceRecordSet{
			Name: new("a.example.test"), Type: new("A"), TTL: new(int64(60)),
			ResourceRecords: []api.ResourceRecord{{Value: new("192.0.2.1")}, {Value: new("192.0.2.2")}},
		}}},
	}}
	if !reflect.DeepEqual(z.changed, want) {
		t.Errorf("got %+v, answer %s", z.changed, w.Body)
	}
	const refused = "<ErrorResponse xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\">\n" +
		"<Error><Type>Sender</Type><Code>InvalidChangeBatch</Code><Message>[&lt;no&gt;]</Message></Error>\n<RequestId>id</RequestId>\n</ErrorResponse>\n"
	if w.Code != http.StatusBadRequest || w.Body.String() != refused {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestRestXMLOutput(t *testing.T) {
	w := answer(&zones{}, "POST", "/2013-04-01/hostedzone",
		"<CreateHostedZoneRequest><Name>example.test</Name><CallerReference>r</CallerReference></CreateHostedZoneRequest>")
	const want = `<?xml version="1.0"?>` + "\n" + `<CreateHostedZoneResponse xmlns="https://route53.amazonaws.com/doc/2013-04-01/">` +
		`<HostedZone><Id>/hostedzone/Z1</Id><Name>example.test</Name></HostedZone>` +
		`<DelegationSet><NameServers><NameServer>a</NameServer><NameServer>b</NameServer></NameServers></DelegationSet></CreateHostedZoneResponse>`
	if w.Code != http.StatusCreated || w.Body.String() != want || w.Header().Get("Location") != "https://route53.amazonaws.com/2013-04-01/hostedzone/Z1" {
		t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
	}
	w = answer(&zones{}, "POST", "/2013-04-01/tags/hostedzone/Z1", "<ChangeTagsForResourceRequest/>")
	if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "<ChangeTagsForResourceResponse ") || w.Header().Get("Content-Type") != "text/xml" {
		t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
	}
}

func TestRestXMLRefusals(t *testing.T) {
	for _, tt := range []struct{ name, method, target, body, want string }{
		{"a broken body", "POST", "/2013-04-01/hostedzone", "<CreateHostedZoneRequest>", "<Code>MalformedInput</Code>"},
		{"two bodies", "POST", "/2013-04-01/hostedzone", "<a/><b/>", "<Code>MalformedInput</Code>"},
		{"only text", "POST", "/2013-04-01/hostedzone", "hello", "<Code>MalformedInput</Code>"},
		{"a document type", "POST", "/2013-04-01/hostedzone", `<!DOCTYPE a [<!ENTITY b "c">]><a/>`, "<Code>MalformedInput</Code>"},
		{"deep", "POST", "/2013-04-01/hostedzone", strings.Repeat("<a>", 100) + strings.Repeat("</a>", 100), "<Code>MalformedInput</Code>"},
		{"many", "POST", "/2013-04-01/hostedzone", "<a>" + strings.Repeat("<b/>", 200_000) + "</a>", "<Code>MalformedInput</Code>"},
		{"long", "POST", "/2013-04-01/hostedzone", "<a>" + strings.Repeat(" ", 5<<20) + "</a>", "<Message>the request body is too long</Message>"},
		{"attributes", "POST", "/2013-04-01/hostedzone", "<a" + strings.Repeat(` b=""`, 70_000) + "/>", "<Message>the request body has too many attributes</Message>"},
		{"a structure for a text", "POST", "/2013-04-01/hostedzone", "<a><Name><b/></Name></a>", "<Code>MalformedInput</Code>"},
		{"a number that is none", "POST", "/2013-04-01/hostedzone/Z1/rrset", strings.Replace(batch, " 60 ", "x", 1), "<Code>MalformedInput</Code>"},
		{"nothing", "POST", "/2013-04-01/hostedzone", "", "<Code>InvalidInput</Code><Message>2 validation errors detected: "},
		{"another's word", "POST", "/2013-04-01/hostedzone/Z1/rrset", strings.Replace(batch, "CREATE", "MAKE", 1), "Value &#39;MAKE&#39; at &#39;changeBatch.changes.1.member.action&#39; failed"},
		{"not here yet", "POST", "/2013-04-01/healthcheck", "<a><CallerReference>x</CallerReference><HealthCheckConfig><Type>HTTP</Type></HealthCheckConfig></a>", "<Code>NotImplementedException</Code>"},
		{"no operation", "POST", "/2013-04-01/nothing", "", "<Code>UnknownOperationException</Code>"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if w := answer(&zones{}, tt.method, tt.target, tt.body); !strings.Contains(w.Body.String(), tt.want) || w.Code < 400 {
				t.Errorf("%d %s", w.Code, w.Body)
			}
		})
	}
}

// FuzzRestXML asks that no body panics, and that what is accepted can be told
// from a refusal.
func FuzzRestXML(f *testing.F) {
	f.Add(batch)
	f.Add("<a/>")
	f.Add(`<!DOCTYPE a><a>&lt;<![CDATA[x]]></a>`)
	f.Add("<a><ChangeBatch><Changes><Change/></Changes></ChangeBatch></a>")
	f.Fuzz(func(t *testing.T, body string) {
		z := &zones{}
		w := answer(z, "POST", "/2013-04-01/hostedzone/Z1/rrset", body)
		if w.Code >= 500 {
			t.Errorf("%d %s", w.Code, w.Body)
		}
		if z.changed != nil && z.changed.ChangeBatch == nil {
			t.Error("an input without its batch came through")
		}
	})
}
