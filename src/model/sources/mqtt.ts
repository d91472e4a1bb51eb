/** How an MQTT broker is reached, and what is consumed there. */
import { z } from 'zod';
import { addressSchema, variableSchema } from './connection.ts';

const isTopicFilter = (topic: string): boolean =>
  topic.split('/').every((part, at, parts) => part === '+' || (part === '#' && at === parts.length - 1) || !/[+#]/.test(part));

export const mqttSourceSchema = z.strictObject({
  kind: z.literal('mqtt'),
  address: addressSchema(
    /^(mqtts?|wss?):$/,
    'an MQTT broker’s address is like mqtt://broker:1883, mqtts://broker:8883, or wss://broker/mqtt',
  ).describe('The broker; it has to speak MQTT 5'),
  user: z.string().min(1).max(255).optional().describe('Who Swiftlet is there'),
  passwordVariable: variableSchema.optional().describe('The variable in "secrets" or "environment" that has the password'),
  topic: z
    .string()
    .min(1)
    .max(255)
    .refine(isTopicFilter, 'in a topic + stands for a whole part, and # for the last ones: sensors/+/temperature, sensors/#')
    .describe('What is consumed: sensors/kitchen, sensors/+/temperature, sensors/#'),
});
export type MqttSource = z.output<typeof mqttSourceSchema>;
