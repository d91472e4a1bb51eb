// The greeting of the bench as a custom runtime without a library; without a Runtime API it writes one byte and ends.
package main

import (
	"fmt"
	"net/http"
	"os"
	"strings"
)

func main() {
	api := os.Getenv("AWS_LAMBDA_RUNTIME_API")
	if api == "" {
		fmt.Print("1")
		return
	}
	invocation := "http://" + api + "/2018-06-01/runtime/invocation/"
	for {
		event, err := http.Get(invocation + "next")
		if err != nil {
			os.Exit(1)
		}
		event.Body.Close()
		id := event.Header.Get("Lambda-Runtime-Aws-Request-Id")
		answer, err := http.Post(invocation+id+"/response", "application/json", strings.NewReader(`{"message":"Hello, world!"}`))
		if err != nil {
			os.Exit(1)
		}
		answer.Body.Close()
	}
}
