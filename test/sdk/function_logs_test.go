package sdk

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"gatehouse/test/harness"
)

// TestFunctionLogsJSON is a function that logs in JSON into a group of its
// choice: the platform's lines and its own are objects, and its level holds back
// what is below.
func TestFunctionLogsJSON(t *testing.T) {
	gw := harness.Start(t, "")
	f := functionsOf(t, gw)
	code := zipOf(t, "index.js", `exports.handler = async () => { console.warn("heard"); console.info("unheard"); };`)
	f.create(t, code, func(in *lambda.CreateFunctionInput) {
		in.LoggingConfig = &types.LoggingConfig{
			LogFormat: types.LogFormatJson, ApplicationLogLevel: types.ApplicationLogLevelWarn, LogGroup: new("/structured"),
		}
	})
	if _, err := f.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: new("hello")}); err != nil {
		t.Fatal(err)
	}
	client := cloudwatchlogs.NewFromConfig(gw.Config())
	var text string
	for deadline := time.Now().Add(2 * time.Minute); !strings.Contains(text, "platform.report"); {
		if time.Now().After(deadline) {
			t.Fatalf("no report arrived; there is\n%s", text)
		}
		// The group is made soon after its first line.
		out, err := client.FilterLogEvents(t.Context(), &cloudwatchlogs.FilterLogEventsInput{LogGroupName: new("/structured")})
		if err != nil {
			fails(t, err, "ResourceNotFoundException")
			continue
		}
		var b strings.Builder
		for _, e := range out.Events {
			b.WriteString(aws.ToString(e.Message) + "\n")
		}
		text = b.String()
	}
	for _, want := range []string{`"type":"platform.start"`, `"level":"WARN"`, `"message":"heard"`} {
		if !strings.Contains(text, want) {
			t.Errorf("the log lacks %s:\n%s", want, text)
		}
	}
	if strings.Contains(text, "unheard") {
		t.Errorf("a line below the level was logged:\n%s", text)
	}
}
