// A function written with AWS's own module for Go.
module swiftlet.test/go-function

go 1.23.0

require github.com/aws/aws-lambda-go v1.49.0
