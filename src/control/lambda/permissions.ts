/** Resource policies of Lambda's API: who may invoke a function without a grant of his own. */
import { z } from 'zod';
import { functionReference, qualifierText } from '../../lambda/function-reference.ts';
import { LambdaError } from '../../lambda/lambda-error.ts';
import { arnOf } from './configuration.ts';
import { fieldsOf } from './function-fields.ts';
import type { LambdaRecord } from './lambda-record.ts';
import { type Asked, type Asking, changeRecord, functionPath, type LambdaOperation, type OperationMeans, textIn } from './operation.ts';
import { presentFunction, qualified } from './present-function.ts';
import { revisionId } from './revision-id.ts';
import { documented, type Statement, understood } from './statement.ts';

const maxPolicyBytes = 20 * 1024;
const policyPath = `${functionPath}/policy`;

const addSchema = z.strictObject({
  StatementId: z.string().regex(/^[a-zA-Z0-9-_]{1,100}$/),
  Action: z.string().regex(/^(?:lambda:[*]|lambda:[a-zA-Z]+|[*])$/),
  Principal: z.string().regex(/^[^\s]{1,256}$/),
  SourceArn: z.string().max(1_024).optional(),
  SourceAccount: z
    .string()
    .regex(/^\d{12}$/)
    .optional(),
  EventSourceToken: z.string().max(256).optional(),
  FunctionUrlAuthType: z.enum(['NONE', 'AWS_IAM']).optional(),
  InvokedViaFunctionUrl: z.boolean().optional(),
  RevisionId: z.string().optional(),
});

export const permissionOperations: readonly LambdaOperation[] = [
  { method: 'POST', url: policyPath, right: 'change', status: 201, run: addPermission },
  { method: 'GET', url: policyPath, right: 'read', status: 200, run: getPolicy },
  { method: 'DELETE', url: `${policyPath}/:StatementId`, right: 'change', status: 204, run: removePermission },
];

async function addPermission(means: OperationMeans, asking: Asking, asked: Asked): Promise<object> {
  const fields = fieldsOf(addSchema, asked.body);
  const qualifier = await qualifierOf(means, asking, asked);
  const statement = understood({
    id: fields.StatementId,
    qualifier,
    action: fields.Action,
    principal: fields.Principal,
    sourceArn: fields.SourceArn,
    sourceAccount: fields.SourceAccount,
    eventSourceToken: fields.EventSourceToken,
    urlAuthType: fields.FunctionUrlAuthType,
    viaUrl: fields.InvokedViaFunctionUrl,
  });
  await changeRecord(means, asking, asked.name, (record) => {
    demandRevision(record, qualifier, fields.RevisionId);
    return withStatement(record, statement);
  });
  return { Statement: JSON.stringify(documented(statement, arnOf(asking, asked.name))) };
}

async function getPolicy(means: OperationMeans, asking: Asking, asked: Asked): Promise<object> {
  const qualifier = await qualifierOf(means, asking, asked);
  const { record } = await presentFunction(means, asking, asked.name);
  const statements = statementsOf(record, qualifier);
  if (statements.length === 0) throw noSuchStatement();
  const Statement = statements.map((statement) => documented(statement, arnOf(asking, asked.name)));
  return { Policy: JSON.stringify({ Version: '2012-10-17', Id: 'default', Statement }), RevisionId: revisionId(statements) };
}

async function removePermission(means: OperationMeans, asking: Asking, asked: Asked): Promise<undefined> {
  const id = textIn(asked.params, 'StatementId') ?? '';
  const qualifier = await qualifierOf(means, asking, asked);
  await changeRecord(means, asking, asked.name, (record) => {
    if (!statementsOf(record, qualifier).some((one) => one.id === id)) throw noSuchStatement(id);
    demandRevision(record, qualifier, textIn(asked.query, 'RevisionId'));
    return { ...record, statements: record.statements.filter((one) => one.id !== id || one.qualifier !== qualifier) };
  });
  return undefined;
}

/** @throws LambdaError ResourceNotFoundException for an alias or a version that there is not */
async function qualifierOf(means: OperationMeans, asking: Asking, { name, params, query }: Asked): Promise<string | undefined> {
  const { qualifier } = functionReference(textIn(params, 'FunctionName') ?? '', textIn(query, 'Qualifier'));
  await qualified(means, asking, name, qualifier);
  return qualifierText(qualifier);
}

const statementsOf = ({ statements }: LambdaRecord, qualifier: string | undefined): readonly Statement[] =>
  statements.filter((one) => one.qualifier === qualifier);

function withStatement(record: LambdaRecord, statement: Statement): LambdaRecord {
  if (statementsOf(record, statement.qualifier).some((one) => one.id === statement.id))
    throw new LambdaError(
      'ResourceConflictException',
      `The statement id (${statement.id}) provided already exists. Please provide a new statement id, or remove the existing statement.`,
    );
  const statements = [...record.statements, statement];
  if (Buffer.byteLength(JSON.stringify(statements)) > maxPolicyBytes)
    throw new LambdaError('PolicyLengthExceededException', `The final policy size is bigger than the limit (${maxPolicyBytes}).`);
  return { ...record, statements };
}

function demandRevision(record: LambdaRecord, qualifier: string | undefined, wanted: string | undefined): void {
  if (wanted === undefined || wanted === revisionId(statementsOf(record, qualifier))) return;
  throw new LambdaError(
    'PreconditionFailedException',
    'The RevisionId provided does not match the latest RevisionId. Call the GetPolicy API to retrieve the latest RevisionId for your resource.',
  );
}

const noSuchStatement = (id?: string): LambdaError =>
  new LambdaError(
    'ResourceNotFoundException',
    id === undefined ? 'The resource you requested does not exist.' : `Statement ${id} is not found in resource policy.`,
  );
