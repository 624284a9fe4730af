package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	v2 "github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"
)

// manyAPIs is how many APIs a gateway with a past has.
const manyAPIs = 1000

// start measures how long the gateway takes from its start until its health
// page answers, and what memory it needs then.
func (b *bench) start(ctx context.Context) error {
	data, err := os.MkdirTemp(b.dir, "data-")
	if err != nil {
		return err
	}
	b.title("Start to ready, and resident memory a second later")
	b.row("", "ready after", "memory")
	empty, memory, err := b.starts(data)
	if err != nil {
		return err
	}
	b.row("empty", millis(empty), megabytes(memory))

	g, err := b.startGatewayOn(data)
	if err != nil {
		return err
	}
	client := apigatewayv2.NewFromConfig(awsConfig(g.addr))
	begin := time.Now()
	err = parallel(ctx, manyAPIs, func(ctx context.Context, i int) error {
		_, err := client.CreateApi(ctx, &apigatewayv2.CreateApiInput{
			Name: aws.String("bench-" + strconv.Itoa(i)), ProtocolType: v2.ProtocolTypeHttp,
			RouteKey: aws.String("GET /items/{id}"), Target: aws.String("http://127.0.0.1:1/items/{id}"),
		})
		return err
	})
	created := time.Since(begin)
	g.stop()
	if err != nil {
		return err
	}
	full, memory, err := b.starts(data)
	if err != nil {
		return err
	}
	b.row(fmt.Sprintf("%d APIs, each with a route and a stage", manyAPIs), millis(full), megabytes(memory))
	b.row("creating those, 8 calls at a time", millis(created/manyAPIs)+" each")
	return nil
}

// starts starts the gateway a few times and returns the median time, and the
// memory of the last one.
func (b *bench) starts(data string) (time.Duration, int64, error) {
	var took []time.Duration
	var memory int64
	for range b.rounds {
		begin := time.Now()
		g, err := b.startGatewayOn(data)
		if err != nil {
			return 0, 0, err
		}
		took = append(took, time.Since(begin))
		time.Sleep(time.Second) // what memory settles at is what is asked
		memory, err = g.memory()
		g.stop()
		if err != nil {
			return 0, 0, err
		}
	}
	slices.Sort(took)
	return took[len(took)/2], memory, nil
}

func megabytes(n int64) string { return fmt.Sprintf("%.1f MB", float64(n)/(1<<20)) }
