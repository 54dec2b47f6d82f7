/** Identities and access control lists, compared with Apache ZooKeeper. */
import { compare, startAlone } from "../support/pair.ts";
import { aclScenarios } from "./scenarios/acls.ts";

compare(startAlone, aclScenarios);
