package browser

import (
	"bufio"
	"bytes"
	"fmt"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"gatehouse/test/harness"
)

// TestChat has two browsers open the page of examples/chat and talk.
func TestChat(t *testing.T) {
	browser := findBrowser(t)
	demo := startChat(t)
	ann, bob := openTab(t, browser, demo.page), openTab(t, browser, demo.page)

	join := func(b *tab, name, room string) {
		t.Helper()
		b.until(`document.getElementById("join")?.onsubmit != null`)
		b.do(fmt.Sprintf(`(() => { const form = document.getElementById("join"); form.name.value = %q; form.room.value = %q; form.requestSubmit(); })()`, name, room))
	}
	say := func(b *tab, text string) {
		t.Helper()
		b.do(fmt.Sprintf(`(() => { const form = document.getElementById("say"); form.text.value = %q; form.requestSubmit(); })()`, text))
	}
	state := func(b *tab, text string) {
		t.Helper()
		b.until(fmt.Sprintf(`document.getElementById("state").textContent === %q`, text))
	}
	// said wants the messages of the page, without what merely happened.
	said := func(b *tab, lines ...string) {
		t.Helper()
		b.until(fmt.Sprintf(`[...document.querySelectorAll("#messages li:not(.event)")].map((li) => li.textContent).join("\n") === %q`, strings.Join(lines, "\n")))
	}
	happened := func(b *tab, line string) {
		t.Helper()
		b.until(fmt.Sprintf(`[...document.querySelectorAll("#messages li.event")].some((li) => li.textContent === %q)`, line))
	}

	// Rooms are apart, names aren't given twice.
	join(ann, "Ann", "tea")
	state(ann, "in tea: Ann")
	join(bob, "Ann", "tea")
	happened(bob, "The name Ann is taken in tea.")
	join(bob, "Bob", "tea")
	state(bob, "in tea: Ann, Bob")
	state(ann, "in tea: Ann, Bob")
	happened(ann, "Bob came in.")

	// What one says both see, as text, in one order.
	say(bob, "Hello, <b>Ann</b>!")
	lines := []string{"BobHello, <b>Ann</b>!"}
	said(ann, lines...)
	said(bob, lines...)
	say(ann, "Grüß dich, Bob 👋")
	lines = append(lines, "AnnGrüß dich, Bob 👋")
	said(ann, lines...)
	said(bob, lines...)

	// The function that remembers is started anew and has forgotten: whoever
	// speaks next is back in the room with what was said.
	demo.forget(t)
	say(ann, "still there?")
	lines = append(lines, "Annstill there?")
	said(ann, lines...)
	state(ann, "in tea: Ann")
	say(bob, "yes")
	said(ann, append(lines, "Bobyes")...)
	state(bob, "in tea: Ann, Bob")

	// Who closes the browser is gone.
	bob.close()
	happened(ann, "Bob went out.")
	state(ann, "in tea: Ann")
}

// A chatDemo is a running `gatehouse demo chat`.
type chatDemo struct {
	page, management string
}

var (
	demoPage       = regexp.MustCompile(`^  (http://\S+/) +\(in two windows\)`)
	demoManagement = regexp.MustCompile(`ready in .* at (http://\S+)`)
)

// startChat runs the demo until the test ends.
func startChat(t *testing.T) *chatDemo {
	t.Helper()
	cmd := exec.Command(harness.Binary(t), "demo", "chat")
	var output bytes.Buffer
	cmd.Stderr = &output
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	serving, ended := make(chan *chatDemo, 1), make(chan struct{})
	go func() {
		defer close(ended)
		d := &chatDemo{}
		for scanner := bufio.NewScanner(stdout); scanner.Scan(); {
			if m := demoManagement.FindStringSubmatch(scanner.Text()); m != nil {
				d.management = m[1]
			}
			if m := demoPage.FindStringSubmatch(scanner.Text()); m != nil {
				d.page = m[1]
				serving <- d
			}
		}
		_ = cmd.Wait()
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		<-ended
		if t.Failed() {
			t.Logf("the demo: %s", output.String())
		}
	})
	select {
	case d := <-serving:
		return d
	case <-ended:
		t.Fatalf("the demo ended: %s", output.String())
	case <-time.After(pageTimeout):
		t.Fatal("the demo took too long")
	}
	return nil
}

// forget has the environment of the store function end.
func (d *chatDemo) forget(t *testing.T) {
	t.Helper()
	client := lambda.NewFromConfig(aws.Config{
		Region: "us-east-1", BaseEndpoint: &d.management, Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	})
	if _, err := client.UpdateFunctionConfiguration(t.Context(), &lambda.UpdateFunctionConfigurationInput{
		FunctionName: aws.String("chat-store"), MemorySize: aws.Int32(192),
	}); err != nil {
		t.Fatal(err)
	}
}
