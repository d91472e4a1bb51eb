//! What the tests of custom runtimes ask of every client, see test/e2e/runtime-clients.test.ts.
use lambda_runtime::streaming::{channel, Body};
use lambda_runtime::{service_fn, Context, Diagnostic, Error, FunctionResponse, LambdaEvent, MetadataPrelude, StreamResponse};
use serde_json::{json, value::to_raw_value, value::RawValue, Value};
use std::time::{Duration, SystemTime};

type Answer = FunctionResponse<Box<RawValue>, Body>;

#[derive(Debug)]
struct AsAsked;

impl From<AsAsked> for Diagnostic {
    fn from(_: AsAsked) -> Diagnostic {
        Diagnostic { error_type: "errorString".into(), error_message: "as asked".into() }
    }
}

async fn handle(event: LambdaEvent<Box<RawValue>>) -> Result<Answer, AsAsked> {
    let (payload, context) = event.into_parts();
    // An event that is no object asks for nothing.
    let asked: Value = if payload.get().len() < 10_000 { serde_json::from_str(payload.get()).unwrap_or_default() } else { Value::Null };
    match (asked["do"].as_str(), asked["rawPath"].as_str()) {
        (Some("error"), _) => return Err(AsAsked),
        (Some("exit"), _) => std::process::exit(3),
        (Some("sleep"), _) => tokio::time::sleep(Duration::from_secs(10)).await,
        (Some("context"), _) => return Ok(FunctionResponse::BufferedResponse(known_of(&context))),
        (_, Some("/streamed")) => return Ok(FunctionResponse::StreamingResponse(streamed())),
        _ => {}
    }
    Ok(FunctionResponse::BufferedResponse(payload))
}

fn known_of(context: &Context) -> Box<RawValue> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_millis() as u64;
    let custom = context.client_context.as_ref().and_then(|sent| sent.custom.get("name"));
    to_raw_value(&json!({ "id": context.request_id, "custom": custom, "leftMs": context.deadline - now })).expect("JSON")
}

fn streamed() -> StreamResponse<Body> {
    let (mut sender, stream) = channel();
    tokio::spawn(async move {
        for piece in ["one ", "two 🐦"] {
            let _ = sender.send_data(piece.into()).await;
        }
    });
    let mut metadata_prelude = MetadataPrelude::default();
    metadata_prelude.status_code = 201.try_into().expect("a status");
    metadata_prelude.headers.insert("x-from", "rust".parse().expect("a header"));
    StreamResponse { metadata_prelude, stream }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    if std::env::var("FAIL").is_ok_and(|what| what == "init") {
        std::process::exit(7);
    }
    lambda_runtime::run(service_fn(handle)).await
}
