const { ListObjectsV2Command, S3Client } = require('@aws-sdk/client-s3');

const client = new S3Client({ region: 'eu-central-1', credentials: { accessKeyId: 'a', secretAccessKey: 'b' } });

exports.handler = () => ({ command: new ListObjectsV2Command({ Bucket: 'mine' }).input.Bucket, client: typeof client.send });
