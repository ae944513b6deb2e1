// What the GraphiQL page needs, as one self-contained script: api/pages/static/graphiql.js starts it.
import { createElement } from "react";
import { createRoot } from "react-dom/client";
import { GraphiQL } from "graphiql";
import { createGraphiQLFetcher } from "@graphiql/toolkit";
import "graphiql/style.css";

globalThis.GraphiQLBundle = { createElement, createRoot, GraphiQL, createGraphiQLFetcher };
