package route53_test

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"
	"github.com/aws/smithy-go"

	api "gatehouse/internal/awsapi/route53"
	"gatehouse/internal/awswire"
	"gatehouse/internal/control/route53"
	"gatehouse/internal/store"
	"gatehouse/internal/store/sqlite"
)

// fixture is the service on a real store behind HTTP, with AWS's own client.
type fixture struct {
	*sdk.Client
	t         *testing.T
	directory *route53.Directory
	changed   atomic.Int32
	store     *store.Store
}

func newFixture(t *testing.T, dir string) *fixture {
	t.Helper()
	f := &fixture{t: t, directory: route53.NewDirectory()}
	db, err := sqlite.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if f.store, err = store.Open(t.Context(), db, store.Options{Prepare: f.directory.Prepare}); err != nil {
		t.Fatal(err)
	}
	if err := f.store.View(t.Context(), f.directory.Load); err != nil {
		t.Fatal(err)
	}
	service := api.NewService(route53.New(route53.Options{Store: f.store, Changed: func([]string) { f.changed.Add(1) }}))
	server := httptest.NewServer(awswire.NewHandler(awswire.Options{
		Services: []*awswire.Service{service}, Auth: awswire.Auth{Open: true}, Account: "123456789012", Region: "us-east-1",
	}))
	f.Client = sdk.New(sdk.Options{
		Region: "us-east-1", BaseEndpoint: &server.URL, RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	})
	t.Cleanup(func() {
		server.Close()
		if err := f.store.Close(); err != nil {
			t.Error(err)
		}
	})
	return f
}

// refused checks AWS's code and a part of its words.
func refused(t *testing.T, err error, code, words string) {
	t.Helper()
	var e smithy.APIError
	if !errors.As(err, &e) || e.ErrorCode() != code || !strings.Contains(e.ErrorMessage(), words) {
		t.Errorf("got %v, want %s: %s", err, code, words)
	}
}

// must returns what a call gave that has to succeed.
func must[T any](out T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
}

// zone makes a zone and returns its id as it is shown.
func (f *fixture) zone(name string) string {
	f.t.Helper()
	out := must(f.CreateHostedZone(f.t.Context(), &sdk.CreateHostedZoneInput{Name: &name, CallerReference: new(f.t.Name() + name)}))(f.t)
	return *out.HostedZone.Id
}

// record is a simple record set.
func record(name, rrtype string, values ...string) *types.ResourceRecordSet {
	set := &types.ResourceRecordSet{Name: &name, Type: types.RRType(rrtype), TTL: new(int64(60))}
	for _, v := range values {
		set.ResourceRecords = append(set.ResourceRecords, types.ResourceRecord{Value: &v})
	}
	return set
}

type step struct {
	action string
	set    *types.ResourceRecordSet
}

func (f *fixture) change(zone string, steps ...step) error {
	in := &sdk.ChangeResourceRecordSetsInput{HostedZoneId: &zone, ChangeBatch: &types.ChangeBatch{}}
	for _, s := range steps {
		in.ChangeBatch.Changes = append(in.ChangeBatch.Changes, types.Change{Action: types.ChangeAction(s.action), ResourceRecordSet: s.set})
	}
	_, err := f.ChangeResourceRecordSets(f.t.Context(), in)
	return err
}

// sets lists a zone's sets as "name type".
func (f *fixture) sets(zone string) []string {
	f.t.Helper()
	var all []string
	in := &sdk.ListResourceRecordSetsInput{HostedZoneId: &zone, MaxItems: aws.Int32(2)}
	for {
		out := must(f.ListResourceRecordSets(f.t.Context(), in))(f.t)
		for _, s := range out.ResourceRecordSets {
			line := *s.Name + " " + string(s.Type)
			if s.SetIdentifier != nil {
				line += " " + *s.SetIdentifier
			}
			all = append(all, line)
		}
		if !out.IsTruncated {
			return all
		}
		in.StartRecordName, in.StartRecordType, in.StartRecordIdentifier = out.NextRecordName, out.NextRecordType, out.NextRecordIdentifier
	}
}

func TestZone(t *testing.T) {
	f := newFixture(t, t.TempDir())
	ctx := t.Context()
	in := &sdk.CreateHostedZoneInput{Name: new("Example.test"), CallerReference: new("r"), HostedZoneConfig: &types.HostedZoneConfig{Comment: new("c")}}
	made := must(f.CreateHostedZone(ctx, in))(t)
	id := *made.HostedZone.Id
	if !strings.HasPrefix(id, "/hostedzone/Z") || *made.HostedZone.Name != "example.test." || len(made.DelegationSet.NameServers) != 4 ||
		*made.HostedZone.ResourceRecordSetCount != 2 || made.HostedZone.Config.PrivateZone {
		t.Errorf("made %+v", made)
	}
	if !strings.HasSuffix(*made.Location, strings.TrimPrefix(id, "/")) {
		t.Errorf("location %s", *made.Location)
	}
	change := must(f.GetChange(ctx, &sdk.GetChangeInput{Id: made.ChangeInfo.Id}))(t)
	if change.ChangeInfo.Status != types.ChangeStatusInsync || *change.ChangeInfo.Id != *made.ChangeInfo.Id {
		t.Errorf("change %+v", change.ChangeInfo)
	}
	_, err := f.GetChange(ctx, &sdk.GetChangeInput{Id: new("C1")})
	refused(t, err, "NoSuchChange", "Could not find resource with ID: C1")
	_, err = f.CreateHostedZone(ctx, in)
	refused(t, err, "HostedZoneAlreadyExists", "caller reference")
	got := must(f.GetHostedZone(ctx, &sdk.GetHostedZoneInput{Id: &id}))(t)
	if *got.HostedZone.Config.Comment != "c" || !slices.Equal(got.DelegationSet.NameServers, made.DelegationSet.NameServers) {
		t.Errorf("got %+v", got)
	}
	updated := must(f.UpdateHostedZoneComment(ctx, &sdk.UpdateHostedZoneCommentInput{Id: &id}))(t)
	if updated.HostedZone.Config.Comment != nil {
		t.Errorf("the comment is %s", *updated.HostedZone.Config.Comment)
	}
	if s := must(f.GetDNSSEC(ctx, &sdk.GetDNSSECInput{HostedZoneId: &id}))(t); *s.Status.ServeSignature != "NOT_SIGNING" {
		t.Errorf("DNSSEC %+v", s.Status)
	}
	if got := f.sets(id); !slices.Equal(got, []string{"example.test. NS", "example.test. SOA"}) {
		t.Errorf("sets %q", got)
	}
	if err := f.change(id, step{"CREATE", record("a.example.test", "A", "192.0.2.1")}); err != nil {
		t.Fatal(err)
	}
	_, err = f.DeleteHostedZone(ctx, &sdk.DeleteHostedZoneInput{Id: &id})
	refused(t, err, "HostedZoneNotEmpty", "non-required resource record sets")
	if err := f.change(id, step{"DELETE", record("A.example.test.", "A", "192.0.2.1")}); err != nil {
		t.Fatal(err)
	}
	must(f.DeleteHostedZone(ctx, &sdk.DeleteHostedZoneInput{Id: &id}))(t)
	_, err = f.GetHostedZone(ctx, &sdk.GetHostedZoneInput{Id: &id})
	refused(t, err, "NoSuchHostedZone", "No hosted zone found with ID: "+strings.TrimPrefix(id, "/hostedzone/"))
	if _, ok := f.directory.Zone("example.test."); ok {
		t.Error("a deleted zone is still answered")
	}
	must(f.CreateHostedZone(ctx, in))(t) // the reference is free again
}

func TestZoneRefusals(t *testing.T) {
	f := newFixture(t, t.TempDir())
	for _, name := range []string{"", ".", "a..test", strings.Repeat("x", 64) + ".test", strings.Repeat("abcdefg.", 40), `a\9.test`, "*.test"} {
		_, err := f.CreateHostedZone(t.Context(), &sdk.CreateHostedZoneInput{Name: &name, CallerReference: new("r")})
		refused(t, err, "InvalidDomainName", "")
	}
	_, err := f.CreateHostedZone(t.Context(), &sdk.CreateHostedZoneInput{Name: new("a.test"), CallerReference: new("r"), HostedZoneConfig: &types.HostedZoneConfig{PrivateZone: true}})
	refused(t, err, "InvalidInput", "VPCId")
}

func TestPrivateZone(t *testing.T) {
	f := newFixture(t, t.TempDir())
	vpc := &types.VPC{VPCId: new("vpc-1"), VPCRegion: types.VPCRegionUsEast1}
	made := must(f.CreateHostedZone(t.Context(), &sdk.CreateHostedZoneInput{Name: new("in.test"), CallerReference: new("r"), VPC: vpc}))(t)
	if !made.HostedZone.Config.PrivateZone || made.DelegationSet != nil {
		t.Errorf("made %+v", made)
	}
	got := must(f.GetHostedZone(t.Context(), &sdk.GetHostedZoneInput{Id: made.HostedZone.Id}))(t)
	if len(got.VPCs) != 1 || *got.VPCs[0].VPCId != "vpc-1" {
		t.Errorf("got %+v", got.VPCs)
	}
	id, second := made.HostedZone.Id, &types.VPC{VPCId: new("vpc-2"), VPCRegion: types.VPCRegionEuWest1}
	_, err := f.DisassociateVPCFromHostedZone(t.Context(), &sdk.DisassociateVPCFromHostedZoneInput{HostedZoneId: id, VPC: vpc})
	refused(t, err, "LastVPCAssociation", "is the last VPC")
	must(f.AssociateVPCWithHostedZone(t.Context(), &sdk.AssociateVPCWithHostedZoneInput{HostedZoneId: id, VPC: second}))(t)
	_, err = f.AssociateVPCWithHostedZone(t.Context(), &sdk.AssociateVPCWithHostedZoneInput{HostedZoneId: id, VPC: second})
	refused(t, err, "ConflictingDomainExists", "vpc-2")
	must(f.DisassociateVPCFromHostedZone(t.Context(), &sdk.DisassociateVPCFromHostedZoneInput{HostedZoneId: id, VPC: vpc}))(t)
	_, err = f.DisassociateVPCFromHostedZone(t.Context(), &sdk.DisassociateVPCFromHostedZoneInput{HostedZoneId: id, VPC: vpc})
	refused(t, err, "VPCAssociationNotFound", "vpc-1")
	if got = must(f.GetHostedZone(t.Context(), &sdk.GetHostedZoneInput{Id: id}))(t); len(got.VPCs) != 1 || *got.VPCs[0].VPCId != "vpc-2" {
		t.Errorf("got %+v", got.VPCs)
	}
	_, err = f.AssociateVPCWithHostedZone(t.Context(), &sdk.AssociateVPCWithHostedZoneInput{HostedZoneId: new(f.zone("out.test")), VPC: second})
	refused(t, err, "PublicZoneVPCAssociation", "")
	other := must(f.CreateHostedZone(t.Context(), &sdk.CreateHostedZoneInput{Name: new("also.test"), CallerReference: new("s"), VPC: second}))(t)
	var names []string
	byVPC := &sdk.ListHostedZonesByVPCInput{VPCId: second.VPCId, VPCRegion: second.VPCRegion, MaxItems: aws.Int32(1)}
	for {
		page := must(f.ListHostedZonesByVPC(t.Context(), byVPC))(t)
		for _, z := range page.HostedZoneSummaries {
			names = append(names, *z.Name)
			if id := "/hostedzone/" + *z.HostedZoneId; id != *made.HostedZone.Id && id != *other.HostedZone.Id || *z.Owner.OwningAccount == "" {
				t.Errorf("listed %+v", z)
			}
		}
		if byVPC.NextToken = page.NextToken; byVPC.NextToken == nil {
			break
		}
	}
	if slices.Sort(names); !slices.Equal(names, []string{"also.test.", "in.test."}) {
		t.Errorf("zones of vpc-2: %q", names)
	}
	if page := must(f.ListHostedZonesByVPC(t.Context(), &sdk.ListHostedZonesByVPCInput{VPCId: second.VPCId, VPCRegion: vpc.VPCRegion}))(t); len(page.HostedZoneSummaries) > 0 {
		t.Errorf("zones of the VPC in another region: %+v", page.HostedZoneSummaries)
	}
	_, err = f.ListHostedZonesByVPC(t.Context(), &sdk.ListHostedZonesByVPCInput{VPCId: second.VPCId, VPCRegion: second.VPCRegion, NextToken: new("x")})
	refused(t, err, "InvalidPaginationToken", "")
	if _, ok := f.directory.Zone("in.test."); ok {
		t.Error("a private zone is answered to everybody")
	}
}

func TestListZones(t *testing.T) {
	f := newFixture(t, t.TempDir())
	for _, name := range []string{"b.test", "a.test", "z.a.test", "a.invalid"} {
		f.zone(name)
	}
	var ids []string
	in := &sdk.ListHostedZonesInput{MaxItems: aws.Int32(3)}
	for {
		out := must(f.ListHostedZones(t.Context(), in))(t)
		for _, z := range out.HostedZones {
			ids = append(ids, *z.Id)
		}
		if !out.IsTruncated {
			break
		}
		in.Marker = out.NextMarker
	}
	if len(ids) != 4 || !slices.IsSorted(ids) {
		t.Errorf("ids %q", ids)
	}
	var names []string
	byName := &sdk.ListHostedZonesByNameInput{MaxItems: aws.Int32(1)}
	for {
		out := must(f.ListHostedZonesByName(t.Context(), byName))(t)
		names = append(names, *out.HostedZones[0].Name)
		if !out.IsTruncated {
			break
		}
		byName.DNSName, byName.HostedZoneId = out.NextDNSName, out.NextHostedZoneId
	}
	if want := []string{"a.invalid.", "a.test.", "z.a.test.", "b.test."}; !slices.Equal(names, want) {
		t.Errorf("names %q, want %q", names, want)
	}
	if n := must(f.GetHostedZoneCount(t.Context(), &sdk.GetHostedZoneCountInput{}))(t); *n.HostedZoneCount != 4 {
		t.Errorf("count %d", *n.HostedZoneCount)
	}
}

func TestTags(t *testing.T) {
	f := newFixture(t, t.TempDir())
	id := strings.TrimPrefix(f.zone("a.test"), "/hostedzone/")
	kind := types.TagResourceTypeHostedzone
	must(f.ChangeTagsForResource(t.Context(), &sdk.ChangeTagsForResourceInput{ResourceType: kind, ResourceId: &id,
		AddTags: []types.Tag{{Key: new("a"), Value: new("1")}, {Key: new("b"), Value: new("2")}}}))(t)
	must(f.ChangeTagsForResource(t.Context(), &sdk.ChangeTagsForResourceInput{ResourceType: kind, ResourceId: &id, RemoveTagKeys: []string{"a"}}))(t)
	got := must(f.ListTagsForResource(t.Context(), &sdk.ListTagsForResourceInput{ResourceType: kind, ResourceId: &id}))(t)
	if tags := got.ResourceTagSet.Tags; len(tags) != 1 || *tags[0].Key != "b" || *got.ResourceTagSet.ResourceId != id {
		t.Errorf("tags %+v", got.ResourceTagSet)
	}
	many := must(f.ListTagsForResources(t.Context(), &sdk.ListTagsForResourcesInput{ResourceType: kind, ResourceIds: []string{id}}))(t)
	if len(many.ResourceTagSets) != 1 || len(many.ResourceTagSets[0].Tags) != 1 {
		t.Errorf("sets %+v", many.ResourceTagSets)
	}
	_, err := f.ListTagsForResource(t.Context(), &sdk.ListTagsForResourceInput{ResourceType: kind, ResourceId: new("Z1")})
	refused(t, err, "NoSuchHostedZone", "Z1")
}

func TestChanges(t *testing.T) {
	weighted := func(id string, weight int64) *types.ResourceRecordSet {
		set := record("w.example.test", "A", "192.0.2.1")
		set.SetIdentifier, set.Weight = &id, &weight
		return set
	}
	alias := record("al.example.test", "A")
	alias.TTL = nil
	alias.AliasTarget = &types.AliasTarget{DNSName: new("d-1.execute-api.us-east-1.amazonaws.com"), HostedZoneId: new("Z1UJRXOUMOOFQ8")}
	bare := record("b.example.test", "A")
	bare.TTL, bare.ResourceRecords = nil, nil
	lonely := record("l.example.test", "A", "192.0.2.1")
	lonely.Weight = new(int64(1))
	watched := weighted("x", 1)
	watched.HealthCheckId = new("4c1e0f0a-0000-4000-8000-000000000000")
	a := record("a.example.test", "A", "192.0.2.1")
	for _, tt := range []struct {
		name  string
		steps []step
		code  string
		words string
	}{
		{"a record of each type", []step{
			{"CREATE", a}, {"CREATE", record("a.example.test", "AAAA", "2001:db8::1")}, {"CREATE", record("c.example.test", "CNAME", "a.example.test")},
			{"CREATE", record("a.example.test", "TXT", `"x y"`)}, {"CREATE", record("example.test", "MX", "10 mail.example.test")},
			{"CREATE", record("_s._tcp.example.test", "SRV", "1 10 5269 a.example.test.")}, {"CREATE", record("example.test", "CAA", `0 issue "ca.test"`)},
			{"CREATE", record("sub.example.test", "NS", "ns.invalid.")}, {"CREATE", record("*.example.test", "A", "192.0.2.9")}, {"CREATE", alias},
		}, "", ""},
		{"weights", []step{{"CREATE", weighted("x", 1)}, {"CREATE", weighted("y", 2)}}, "", ""},
		{"a replacement in one batch", []step{{"CREATE", a}, {"DELETE", a}, {"CREATE", record("a.example.test", "CNAME", "b.test")}}, "", ""},
		{"twice", []step{{"CREATE", a}, {"CREATE", a}}, "InvalidChangeBatch", "[Tried to create resource record set [name='a.example.test.', type='A'] but it already exists]"},
		{"over it", []step{{"CREATE", a}, {"UPSERT", record("A.EXAMPLE.test.", "A", "192.0.2.2")}}, "", ""},
		{"deleting nothing", []step{{"DELETE", a}}, "InvalidChangeBatch", "[Tried to delete resource record set [name='a.example.test.', type='A'] but it was not found]"},
		{"deleting others", []step{{"CREATE", a}, {"DELETE", record("a.example.test", "A", "192.0.2.2")}}, "InvalidChangeBatch", "but the values provided do not match the current values"},
		{"another zone", []step{{"CREATE", record("a.other.test", "A", "192.0.2.1")}}, "InvalidChangeBatch", "[RRSet with DNS name a.other.test. is not permitted in zone example.test.]"},
		{"a name that only ends alike", []step{{"CREATE", record("notexample.test", "A", "192.0.2.1")}}, "InvalidChangeBatch", "is not permitted in zone"},
		{"CNAME at the apex", []step{{"CREATE", record("example.test", "CNAME", "b.test")}}, "InvalidChangeBatch", "RRSet of type CNAME with DNS name example.test. is not permitted at apex in zone example.test."},
		{"CNAME beside others", []step{{"CREATE", a}, {"CREATE", record("a.example.test", "CNAME", "b.test")}}, "InvalidChangeBatch", "is not permitted as it conflicts with other records with the same DNS name in zone example.test."},
		{"an address that is none", []step{{"CREATE", record("a.example.test", "A", "192.0.2")}}, "InvalidChangeBatch", "[Invalid Resource Record: 'FATAL problem: ARRDATAIllegalIPv4Address (Value is not a valid IPv4 address) encountered with '192.0.2'']"},
		{"a text without quotation marks", []step{{"CREATE", record("a.example.test", "TXT", "x")}}, "InvalidChangeBatch", "InvalidCharacterString (Value should be enclosed in quotation marks) encountered with 'x'"},
		{"a text of one long string", []step{{"CREATE", record("a.example.test", "TXT", `"`+strings.Repeat("x", 256)+`"`)}}, "InvalidChangeBatch", "[Invalid Resource Record: 'FATAL problem: CharacterStringTooLong (Value is too long) encountered with '\"xxx"},
		{"one value twice", []step{{"CREATE", record("a.example.test", "A", "192.0.2.1", "192.0.2.1")}}, "InvalidChangeBatch", "Duplicate Resource Record: '192.0.2.1'"},
		{"no SOA", []step{{"DELETE", record("example.test", "SOA", "x")}}, "InvalidChangeBatch", "do not match"},
		{"all problems at once", []step{{"DELETE", a}, {"CREATE", record("a.other.test", "A", "192.0.2.1")}}, "InvalidChangeBatch", "but it was not found, RRSet with DNS name a.other.test."},
		{"neither values nor alias", []step{{"CREATE", bare}}, "InvalidInput", "Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords], or TrafficPolicyInstanceId], but found none in Change with [Action=CREATE, Name=b.example.test, Type=A, SetIdentifier=null]"},
		{"a weight alone", []step{{"CREATE", lonely}}, "InvalidInput", "Missing field 'SetIdentifier'"},
		{"a health check", []step{{"CREATE", watched}}, "NoSuchHealthCheck", "4c1e0f0a-0000-4000-8000-000000000000"},
		{"a weight beside a simple one", []step{{"CREATE", weighted("x", 1)}, {"CREATE", record("w.example.test", "A", "192.0.2.1")}}, "InvalidChangeBatch", "cannot be created as other RRSets exist with the same name and type."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t, t.TempDir())
			id := f.zone("example.test")
			err := f.change(id, tt.steps...)
			// The zone itself is one.
			if got, want := f.changed.Load() == 2, tt.code == ""; got != want {
				t.Errorf("told of a change: %v, want %v", got, want)
			}
			if tt.code == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			refused(t, err, tt.code, tt.words)
			if got := f.sets(id); len(got) != 2 {
				t.Errorf("a refused batch left %q", got)
			}
		})
	}
}

func TestListSets(t *testing.T) {
	dir := t.TempDir()
	f := newFixture(t, dir)
	id := f.zone("example.test")
	weighted := record("w.example.test", "A", "192.0.2.1")
	weighted.SetIdentifier, weighted.Weight = new("x"), new(int64(0))
	second := *weighted
	second.SetIdentifier = new("y")
	err := f.change(id, step{"CREATE", record("b.example.test", "TXT", `"a"`)}, step{"CREATE", record("b.example.test", "A", "192.0.2.1")},
		step{"CREATE", record("x.a.example.test", "A", "192.0.2.1")}, step{"CREATE", record("a.example.test", "A", "192.0.2.1")},
		step{"CREATE", record("*.example.test", "A", "192.0.2.1")}, step{"CREATE", weighted}, step{"CREATE", &second})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"example.test. NS", "example.test. SOA", `\052.example.test. A`, "a.example.test. A", "x.a.example.test. A",
		"b.example.test. A", "b.example.test. TXT", "w.example.test. A x", "w.example.test. A y"}
	if got := f.sets(id); !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	// Terraform asks for one set like this.
	out := must(f.ListResourceRecordSets(t.Context(), &sdk.ListResourceRecordSetsInput{HostedZoneId: &id, StartRecordName: new("b.example.test"), StartRecordType: types.RRTypeTxt, MaxItems: aws.Int32(1)}))(t)
	if s := out.ResourceRecordSets; len(s) != 1 || s[0].Type != types.RRTypeTxt || *s[0].TTL != 60 {
		t.Errorf("got %+v", out)
	}
	zone := must(f.GetHostedZone(t.Context(), &sdk.GetHostedZoneInput{Id: &id}))(t)
	if *zone.HostedZone.ResourceRecordSetCount != 9 {
		t.Errorf("count %d", *zone.HostedZone.ResourceRecordSetCount)
	}
}

func TestValidated(t *testing.T) {
	dir := t.TempDir()
	f := newFixture(t, dir)
	id := f.zone("example.test")
	set := record("_x.www.example.test", "CNAME", "_y.acm-validations.aws.")
	if f.directory.Validated("_x.www.example.test.", "_y.acm-validations.aws.") {
		t.Error("validated without a record")
	}
	if err := f.change(id, step{"CREATE", set}, step{"CREATE", record(`\044x.example.test`, "A", "192.0.2.9")}); err != nil {
		t.Fatal(err)
	}
	check := func(d *route53.Directory) {
		t.Helper()
		if !d.Validated("_x.www.Example.test", "_Y.acm-validations.aws") || d.Validated("_x.www.example.test.", "_z.acm-validations.aws.") || d.Validated("", "") {
			t.Error("the record isn't seen, or another one is")
		}
	}
	check(f.directory)
	// What Load reads is what Prepare followed.
	loaded := route53.NewDirectory()
	if err := f.store.View(context.Background(), loaded.Load); err != nil {
		t.Fatal(err)
	}
	check(loaded)
	if z, _ := loaded.Zone("example.test."); !z.Has("$x.example.test.", "A", "192.0.2.9") {
		t.Error("a name with a dollar sign isn't found as nameserver writes it")
	}
	if err := f.change(id, step{"DELETE", set}); err != nil {
		t.Fatal(err)
	}
	if f.directory.Validated("_x.www.example.test.", "_y.acm-validations.aws.") {
		t.Error("validated by a deleted record")
	}
}

// of is the fixture as another account.
func (f *fixture) of(account string) *fixture {
	other := &fixture{t: f.t, directory: f.directory, store: f.store}
	other.Client = sdk.New(f.Options(), func(o *sdk.Options) {
		o.Credentials = credentials.NewStaticCredentialsProvider(account, "test", "")
	})
	return other
}

// TestOthersZones has an account make zones within another one's: they answer
// nothing, and prove nothing, before their names are delegated to them.
func TestOthersZones(t *testing.T) {
	f := newFixture(t, t.TempDir())
	thief := f.of("222222222222")
	// who tells whose zone answers for a name, while running and after a start.
	who := func(name string) string {
		loaded := route53.NewDirectory()
		if err := f.store.View(context.Background(), loaded.Load); err != nil {
			t.Fatal(err)
		}
		var answers []string
		for _, d := range []*route53.Directory{f.directory, loaded} {
			z, ok := d.Zone(name)
			switch {
			case !ok:
				answers = append(answers, "")
			case z.Has(name, "TXT", `"owner"`):
				answers = append(answers, "owner")
			case z.Has(name, "TXT", `"thief"`):
				answers = append(answers, "thief")
			}
		}
		if answers[0] != answers[1] {
			t.Errorf("%s: %q while running, %q after a start", name, answers[0], answers[1])
		}
		return answers[0]
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	named := func(f *fixture, name, text string) string {
		id := f.zone(name)
		must(f.change(id, step{"CREATE", record(name, "TXT", `"`+text+`"`)}))
		return id
	}
	named(thief, "early.example.test", "thief")
	named(thief, "test", "thief")
	example := named(f, "example.test", "owner")
	sub := named(thief, "api.example.test", "thief")
	named(thief, "deeper.api.example.test", "thief")
	proof := func(name string) *types.ResourceRecordSet { return record("_x."+name, "CNAME", "_y.test") }
	must(thief.change(sub, step{"CREATE", proof("api.example.test")}))
	for name, want := range map[string]string{
		"example.test.": "owner", "api.example.test.": "", "deeper.api.example.test.": "", "early.example.test.": "thief",
	} {
		if got := who(name); got != want {
			t.Errorf("%s is answered by %q, want %q", name, got, want)
		}
	}
	if f.directory.Validated("_x.api.example.test", "_y.test") {
		t.Error("a zone that nobody would ask proves its name")
	}
	// One with the name that the owner made later is the one.
	named(f, "api.example.test", "owner")
	if got := who("api.example.test."); got != "owner" {
		t.Errorf("the owner's zone: %q", got)
	}
	servers := func(f *fixture, id string) (list []string) {
		out, err := f.GetHostedZone(t.Context(), &sdk.GetHostedZoneInput{Id: &id})
		must(err)
		for _, name := range out.DelegationSet.NameServers {
			list = append(list, name+".")
		}
		return list
	}
	must(f.change(example, step{"CREATE", record("api.example.test", "NS", "ns.elsewhere.test.")}))
	if got := who("api.example.test."); got != "owner" {
		t.Errorf("delegated to others: %q", got)
	}
	must(f.change(example, step{"UPSERT", record("api.example.test", "NS", servers(thief, sub)...)}))
	for name, want := range map[string]string{"api.example.test.": "thief", "deeper.api.example.test.": "thief"} {
		if got := who(name); got != want {
			t.Errorf("delegated: %s is answered by %q, want %q", name, got, want)
		}
	}
}

// TestBatchLimit takes the greatest batch and one more.
func TestBatchLimit(t *testing.T) {
	f := newFixture(t, t.TempDir())
	id := f.zone("example.test")
	var steps []step
	for i := range 1000 {
		steps = append(steps, step{"CREATE", record(fmt.Sprintf("n%d.example.test", i), "A", "192.0.2.1")})
	}
	if err := f.change(id, steps...); err != nil {
		t.Fatal(err)
	}
	refused(t, f.change(id, append(steps, step{"CREATE", record("m.example.test", "A", "192.0.2.1")})...), "InvalidChangeBatch", "Number of records limit of 1000 exceeded.")
}
