package sdk

import (
	"crypto/x509"
	"encoding/pem"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/acm"
	"github.com/aws/aws-sdk-go-v2/service/acm/types"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	route53types "github.com/aws/aws-sdk-go-v2/service/route53/types"

	"gatehouse/test/harness"
	"gatehouse/test/pebble"
)

// An ordering is a gateway whose certificates come from Pebble, which asks the
// gateway whether names lead there.
type ordering struct {
	*harness.Gateway
	*acm.Client
	t         *testing.T
	authority *pebble.Authority
	world     *pebble.World
}

func startOrdering(t *testing.T, o pebble.Options, args ...string) *ordering {
	t.Helper()
	f := &ordering{t: t, authority: pebble.Start(t), world: pebble.NewWorld(t)}
	args = append([]string{"--acme-directory", f.authority.Directory, "--acme-email", "ops@example.test", "--upstream-ca", f.authority.Roots}, args...)
	for i, arg := range args {
		if arg == "--acme-resolver" {
			args[i+1] = f.world.Addr
		}
	}
	f.Gateway = harness.Start(t, "", args...)
	_, port, err := net.SplitHostPort(f.Addr)
	o.HTTPPort = must(strconv.Atoi(port))(t)
	if err != nil {
		t.Fatal(err)
	}
	o.TLSPort, o.Resolver = o.HTTPPort, f.world.Addr
	if slices.Contains(args, "--traffic-tls") {
		o.HTTPPort = 1 // where nobody listens
	}
	if m := regexp.MustCompile(`answering DNS queries.* address=(\S+)`).FindStringSubmatch(f.Logs()); m != nil {
		f.world.Gateway = m[1]
	}
	f.authority.Serve(t, o)
	f.Client = acm.NewFromConfig(f.Config())
	return f
}

// request asks for a certificate that can be exported.
func (f *ordering) request(names ...string) *string {
	f.t.Helper()
	return must(f.RequestCertificate(f.t.Context(), &acm.RequestCertificateInput{
		DomainName: &names[0], SubjectAlternativeNames: names, ValidationMethod: types.ValidationMethodDns, KeyAlgorithm: types.KeyAlgorithmEcPrime256v1,
		Options: &types.CertificateOptions{Export: types.CertificateExportEnabled},
	}))(f.t).CertificateArn
}

func (f *ordering) until(arn *string, what string, done func(*types.CertificateDetail) bool) *types.CertificateDetail {
	f.t.Helper()
	deadline, tick := time.After(2*time.Minute), time.NewTicker(50*time.Millisecond)
	defer tick.Stop()
	for {
		d := must(f.DescribeCertificate(f.t.Context(), &acm.DescribeCertificateInput{CertificateArn: arn}))(f.t).Certificate
		if done(d) {
			return d
		}
		select {
		case <-tick.C:
		case <-deadline:
			f.t.Fatalf("never %s: %s\n%s", what, lines(f.t, d), f.Logs())
		}
	}
}

// told waits until the log says something.
func (f *ordering) told(part string) {
	f.t.Helper()
	deadline, tick := time.After(time.Minute), time.NewTicker(50*time.Millisecond)
	defer tick.Stop()
	for !strings.Contains(f.Logs(), part) {
		select {
		case <-tick.C:
		case <-deadline:
			f.t.Fatalf("nothing is said of %q:\n%s", part, f.Logs())
		}
	}
}

func (f *ordering) issued(arn *string) *types.CertificateDetail {
	f.t.Helper()
	return f.until(arn, "issued", func(d *types.CertificateDetail) bool { return d.Status == types.CertificateStatusIssued })
}

func (f *ordering) failed(arn *string) *types.CertificateDetail {
	f.t.Helper()
	return f.until(arn, "refused", func(d *types.CertificateDetail) bool { return d.Status == types.CertificateStatusFailed })
}

// TestPublicAuthority has Pebble ask whether names lead to the gateway: issued,
// renewed, refused, a renewal that fails and leaves what there was, revoked.
func TestPublicAuthority(t *testing.T) {
	f := startOrdering(t, pebble.Options{})
	ctx := t.Context()
	if err := f.authority.DB.AddBlockedDomain("blocked.test"); err != nil {
		t.Fatal(err)
	}

	arn := f.request("a.test", "b.a.test", "c.a.test")
	first := f.issued(arn)
	if !strings.HasPrefix(*first.Issuer, "Pebble") {
		t.Errorf("issuer %s", *first.Issuer)
	}
	if refused := f.failed(f.request("blocked.test")); refused.FailureReason != types.FailureReasonDomainNotAllowed {
		t.Errorf("reason %s", refused.FailureReason)
	}
	if wild := f.failed(f.request("*.a.test")); wild.FailureReason != types.FailureReasonDomainValidationDenied || !strings.Contains(f.Logs(), "--dns") {
		t.Errorf("reason %s, told %s", wild.FailureReason, f.Logs())
	}

	// Renewed: exported certificates are.
	_, err := f.RevokeCertificate(ctx, &acm.RevokeCertificateInput{CertificateArn: arn, RevocationReason: types.RevocationReasonUnspecified})
	fails(t, err, "ValidationException")
	must(f.ExportCertificate(ctx, &acm.ExportCertificateInput{CertificateArn: arn, Passphrase: []byte("secret")}))(t)
	renewal := func(status types.RenewalStatus) func(*types.CertificateDetail) bool {
		return func(d *types.CertificateDetail) bool {
			return d.RenewalSummary != nil && d.RenewalSummary.RenewalStatus == status
		}
	}
	must(f.RenewCertificate(ctx, &acm.RenewCertificateInput{CertificateArn: arn}))(t)
	second := f.until(arn, "renewed", renewal(types.RenewalStatusSuccess))
	if *second.Serial == *first.Serial {
		t.Error("renewed and the same")
	}

	// The authority is away: what there is stays.
	f.authority.Break(func(w http.ResponseWriter, _ *http.Request) bool {
		http.Error(w, "away", http.StatusForbidden)
		return true
	})
	must(f.RenewCertificate(ctx, &acm.RenewCertificateInput{CertificateArn: arn}))(t)
	third := f.until(arn, "failed", renewal(types.RenewalStatusFailed))
	if *third.Serial != *second.Serial || third.Status != types.CertificateStatusIssued {
		t.Errorf("%s", lines(t, third))
	}
	// A certificate that can't be revoked at the authority isn't called revoked.
	_, err = f.RevokeCertificate(ctx, &acm.RevokeCertificateInput{CertificateArn: arn, RevocationReason: types.RevocationReasonSuperseded})
	if err == nil {
		t.Error("revoked without the authority")
	}
	f.authority.Mend()

	// Revoked, and so says the authority.
	text := must(f.GetCertificate(ctx, &acm.GetCertificateInput{CertificateArn: arn}))(t)
	block, _ := pem.Decode([]byte(*text.Certificate))
	leaf := must(x509.ParseCertificate(block.Bytes))(t)
	must(f.RevokeCertificate(ctx, &acm.RevokeCertificateInput{CertificateArn: arn, RevocationReason: types.RevocationReasonSuperseded}))(t)
	revoked := f.until(arn, "revoked", func(d *types.CertificateDetail) bool { return d.Status == types.CertificateStatusRevoked })
	known := f.authority.DB.GetRevokedCertificateBySerial(leaf.SerialNumber)
	if revoked.RevocationReason != types.RevocationReasonSuperseded || revoked.RevokedAt == nil || known == nil || known.Reason == nil || *known.Reason != 4 {
		t.Errorf("%s\nauthority: %+v", lines(t, revoked), known)
	}
	// A key that others know revokes itself.
	arn = f.request("leaked.test")
	f.issued(arn)
	must(f.ExportCertificate(ctx, &acm.ExportCertificateInput{CertificateArn: arn, Passphrase: []byte("secret")}))(t)
	must(f.RevokeCertificate(ctx, &acm.RevokeCertificateInput{CertificateArn: arn, RevocationReason: types.RevocationReasonKeyCompromise}))(t)

	if strings.Contains(f.Logs(), "PRIVATE") {
		t.Error("a key is in the log")
	}
	// Nobody else is answered at the challenges' path.
	resp := must(http.Get(f.URL + "/.well-known/acme-challenge/x"))(t)
	resp.Body.Close()
	if resp.StatusCode == http.StatusOK {
		t.Error("a challenge that there isn't is answered")
	}
}

// TestPublicAuthorityByDNS proves names by the records that the gateway answers:
// wildcards in a zone of its own, and names of a zone that isn't, whose CNAME
// leads into one that is.
func TestPublicAuthorityByDNS(t *testing.T) {
	f := startOrdering(t, pebble.Options{}, "--dns", "127.0.0.1:0", "--acme-resolver", "")
	ctx := t.Context()
	names := route53.NewFromConfig(f.Config())
	zone := func(name string) *string {
		t.Helper()
		return must(names.CreateHostedZone(ctx, &route53.CreateHostedZoneInput{Name: &name, CallerReference: &name}))(t).HostedZone.Id
	}
	records := func(id *string) string {
		t.Helper()
		return lines(t, must(names.ListResourceRecordSets(ctx, &route53.ListResourceRecordSetsInput{HostedZoneId: id}))(t).ResourceRecordSets)
	}
	own, delegated := zone("example.test"), zone("acme.example.net")
	before := records(own) + records(delegated)
	var during []string
	f.authority.Break(func(_ http.ResponseWriter, r *http.Request) bool {
		if strings.HasPrefix(r.URL.Path, pebble.Challenge) {
			during = append(during, records(own)+records(delegated))
		}
		return false
	})

	wild := f.issued(f.request("*.example.test", "example.test"))
	if !slices.Equal(wild.SubjectAlternativeNames, []string{"*.example.test", "example.test"}) {
		t.Errorf("names %v", wild.SubjectAlternativeNames)
	}
	// A name of a zone that others answer for, delegated by a record.
	f.world.CNAME("_acme-challenge.example.com.", "com.acme.example.net.")
	f.issued(f.request("*.example.com"))
	// One that is in a zone here, whose record leads into another zone here.
	must(names.ChangeResourceRecordSets(ctx, &route53.ChangeResourceRecordSetsInput{HostedZoneId: own, ChangeBatch: &route53types.ChangeBatch{
		Changes: []route53types.Change{{Action: route53types.ChangeActionCreate, ResourceRecordSet: &route53types.ResourceRecordSet{
			Name: new("_acme-challenge.sub.example.test"), Type: route53types.RRTypeCname, TTL: new(int64(60)), ResourceRecords: []route53types.ResourceRecord{{Value: new("sub.acme.example.net")}},
		}}},
	}}))(t)
	f.issued(f.request("*.sub.example.test"))
	// And one that is nowhere here: HTTP has its turn, which leads here as well.
	f.issued(f.request("plain.elsewhere.test", "a.example.test"))

	if len(during) < 3 || slices.ContainsFunc(during, func(s string) bool { return strings.Contains(s, "TXT") }) || during[0] != before {
		t.Errorf("the listing has the records of challenges: %d looks, %s", len(during), during)
	}

	// What is proven nowhere waits for its zone, and says what it waits for.
	f.authority.Mend()
	orders := f.authority.Count(pebble.NewOrder)
	arn := f.request("*.late.test")
	f.told("make one for late.test and delegate it")
	d := must(f.DescribeCertificate(ctx, &acm.DescribeCertificateInput{CertificateArn: arn}))(t).Certificate
	if d.Status != types.CertificateStatusPendingValidation || f.authority.Count(pebble.NewOrder) != orders {
		t.Errorf("status %s", d.Status)
	}
	zone("late.test")
	f.issued(arn)
	if resp := f.authority.Count(pebble.NewAccount); resp != 1 {
		t.Errorf("%d accounts", resp)
	}
}

// TestExternalAccount signs up at an authority that wants to know its customer,
// whose secret shows nowhere, and orders by a profile. Names are proven over TLS.
func TestExternalAccount(t *testing.T) {
	const key = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"
	t.Setenv("GATEHOUSE_ACME_EAB_HMAC_KEY", key)
	f := startOrdering(t, pebble.Options{Bindings: map[string]string{"kid-1": key}, Profiles: map[string]uint64{"shortlived": 160 * 3600, "classic": 90 * 86400}},
		"--acme-eab-key-id", "kid-1", "--acme-profile", "shortlived", "--traffic-tls", "127.0.0.1:0")
	d := f.issued(f.request("a.test"))
	if life := d.NotAfter.Sub(*d.NotBefore); life > 161*time.Hour {
		t.Errorf("good for %s: not by the profile", life)
	}
	files := must(filepath.Glob(filepath.Join(f.Data, "tls", "acme", "*")))(t)
	if len(files) != 2 {
		t.Errorf("files %v", files)
	}
	for _, file := range files {
		if info := must(os.Stat(file))(t); info.Mode().Perm() != 0o600 || strings.Contains(string(must(os.ReadFile(file))(t)), key) {
			t.Errorf("%s: %s", file, info.Mode())
		}
	}
	if strings.Contains(f.Logs(), key) || strings.Contains(string(must(os.ReadFile("/proc/"+strconv.Itoa(f.PID())+"/cmdline"))(t)), key) {
		t.Error("the secret shows")
	}

	// Without one the log says what to give.
	t.Setenv("GATEHOUSE_ACME_EAB_HMAC_KEY", "")
	f = startOrdering(t, pebble.Options{Bindings: map[string]string{"kid-1": key}})
	f.request("a.test")
	f.told("--acme-eab-key-id")
}
