// What the tests of custom runtimes ask of every client, see test/e2e/runtime-clients.test.ts; with a port it is a server.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

type request struct {
	Do      string `json:"do"`
	RawPath string `json:"rawPath"`
}

func handle(ctx context.Context, event json.RawMessage) (any, error) {
	var asked request
	// An event that is no object asks for nothing.
	_ = json.Unmarshal(event, &asked)
	switch {
	case asked.Do == "error":
		return nil, errors.New("as asked")
	case asked.Do == "exit":
		os.Exit(3)
	case asked.Do == "sleep":
		time.Sleep(10 * time.Second)
	case asked.Do == "context":
		known, _ := lambdacontext.FromContext(ctx)
		deadline, _ := ctx.Deadline()
		return map[string]any{"id": known.AwsRequestID, "custom": known.ClientContext.Custom["name"], "leftMs": time.Until(deadline).Milliseconds()}, nil
	case asked.RawPath == "/streamed":
		body := io.MultiReader(strings.NewReader("one "), strings.NewReader("two 🐦"))
		return &events.LambdaFunctionURLStreamingResponse{StatusCode: 201, Headers: map[string]string{"x-from": "go"}, Body: body}, nil
	}
	return event, nil
}

func serve(answer http.ResponseWriter, asked *http.Request) {
	answer.Header().Set("x-from", "go")
	answer.WriteHeader(http.StatusAccepted)
	_, _ = io.Copy(answer, asked.Body)
}

func main() {
	if os.Getenv("FAIL") == "init" {
		os.Exit(7)
	}
	if port := os.Getenv("PORT"); port != "" {
		panic(http.ListenAndServe(":"+port, http.HandlerFunc(serve)))
	}
	lambda.Start(handle)
}
