package logs_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	cwl "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
)

func TestResourcePolicies(t *testing.T) {
	f := newFixture(t, t.TempDir())
	const document = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"apigateway.amazonaws.com"},"Action":"logs:PutLogEvents","Resource":"*"}]}`
	put := func(name, document string) error {
		_, err := f.Client.PutResourcePolicy(t.Context(), &cwl.PutResourcePolicyInput{PolicyName: &name, PolicyDocument: &document})
		return err
	}
	for i := range 10 {
		if err := put(fmt.Sprint("p", i), document); err != nil {
			t.Fatal(err)
		}
	}
	if err := put("p10", document); err == nil || !strings.Contains(err.Error(), "LimitExceededException") {
		t.Errorf("an eleventh: %v", err)
	}
	if err := put("p9", strings.Replace(document, "Allow", "Deny", 1)); err != nil {
		t.Errorf("a tenth again: %v", err)
	}
	if err := put("p9", "{"); err == nil || !strings.Contains(err.Error(), "InvalidParameterException") {
		t.Errorf("no policy: %v", err)
	}

	var names []string
	for next, more := (*string)(nil), true; more; {
		page, err := f.Client.DescribeResourcePolicies(t.Context(), &cwl.DescribeResourcePoliciesInput{Limit: aws.Int32(4), NextToken: next})
		if err != nil {
			t.Fatal(err)
		}
		next, more = page.NextToken, page.NextToken != nil
		for _, p := range page.ResourcePolicies {
			names = append(names, *p.PolicyName)
			if deny := strings.Contains(*p.PolicyDocument, "Deny"); *p.LastUpdatedTime != f.now.Load() || deny != (*p.PolicyName == "p9") {
				t.Errorf("%s: %d %s", *p.PolicyName, *p.LastUpdatedTime, *p.PolicyDocument)
			}
		}
	}
	if got := strings.Join(names, " "); got != "p0 p1 p2 p3 p4 p5 p6 p7 p8 p9" {
		t.Errorf("listed %s", got)
	}

	drop := func(name string) error {
		_, err := f.Client.DeleteResourcePolicy(t.Context(), &cwl.DeleteResourcePolicyInput{PolicyName: &name})
		return err
	}
	if err := drop("p0"); err != nil {
		t.Error(err)
	}
	if err := drop("p0"); err == nil || !strings.Contains(err.Error(), "ResourceNotFoundException: Policy with name [p0] does not exist.") {
		t.Errorf("deleted twice: %v", err)
	}
}
