// Writes src/api/types.ts from openapi.json, which the server writes: `python -m simpar.dashboard.openapi > web/openapi.json`.
import { readFileSync, writeFileSync } from "node:fs";

const source = new URL("../openapi.json", import.meta.url);
const target = new URL("../src/api/types.ts", import.meta.url);
const { schemas } = JSON.parse(readFileSync(source, "utf-8")).components;

function named(ref) {
  return ref.split("/").at(-1).replaceAll("-", "_");
}

function list(type) {
  return /[|&]/.test(type) ? `(${type})[]` : `${type}[]`;
}

function typeOf(schema) {
  if (schema.$ref) return named(schema.$ref);
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((v) => JSON.stringify(v)).join(" | ");
  const either = schema.anyOf ?? schema.oneOf;
  if (either) return [...new Set(either.map(typeOf))].join(" | ");
  if (schema.prefixItems) return `[${schema.prefixItems.map(typeOf).join(", ")}]`;
  switch (schema.type) {
    case "array":
      return list(schema.items ? typeOf(schema.items) : "unknown");
    case "object":
      return schema.properties ? body(schema, "  ") : `Record<string, ${valueType(schema)}>`;
    case "integer":
    case "number":
      return "number";
    case "string":
    case "boolean":
    case "null":
      return schema.type;
    default:
      return "unknown";
  }
}

function valueType(schema) {
  return typeof schema.additionalProperties === "object"
    ? typeOf(schema.additionalProperties)
    : "unknown";
}

function comment(text, indent) {
  return text ? `${indent}/** ${text.replaceAll("\n", " ").replaceAll("*/", "* /")} */\n` : "";
}

// Answers hold every field; only requests may leave out those with a default.
function body(schema, indent, isRequest = false) {
  const required = new Set(schema.required ?? []);
  const fields = Object.entries(schema.properties ?? {}).map(([name, field]) => {
    const mark = isRequest && !required.has(name) ? "?" : "";
    return `${comment(field.description, indent)}${indent}${name}${mark}: ${typeOf(field)};\n`;
  });
  return `{\n${fields.join("")}${indent.slice(2)}}`;
}

const parts = Object.entries(schemas)
  .filter(([name]) => !name.endsWith("ValidationError"))
  .map(([name, schema]) => {
    const isRequest = /(Question|Asked)(_Input)?$/.test(named(`/${name}`));
    const type = schema.properties ? body(schema, "  ", isRequest) : `${typeOf(schema)};`;
    const head = schema.properties
      ? `export interface ${named(name)} `
      : `export type ${named(name)} = `;
    return `${comment(schema.description, "")}${head}${type}\n`;
  });

writeFileSync(
  target,
  `// Written by scripts/types.mjs from openapi.json. Do not edit.\n\n${parts.join("\n")}`,
);
