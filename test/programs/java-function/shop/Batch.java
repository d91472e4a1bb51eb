package shop;

import com.amazonaws.services.lambda.runtime.events.SQSBatchResponse;
import com.amazonaws.services.lambda.runtime.events.SQSEvent;

/** Messages of a queue, of which those that say so have failed. */
public class Batch extends Base<SQSEvent, SQSBatchResponse> {
    @Override
    protected SQSBatchResponse answer(SQSEvent event) {
        return new SQSBatchResponse(event.getRecords().stream()
            .filter(message -> message.getBody().equals("fail") && message.getEventSourceArn().equals("arn:queue"))
            .map(message -> new SQSBatchResponse.BatchItemFailure(message.getMessageId()))
            .toList());
    }
}
