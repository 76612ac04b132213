import {
  type ClassDeclaration,
  type InterfaceDeclaration,
  isBindingPattern,
  isExpressionWithTypeArguments,
  isImportTypeNode,
  isIntersectionTypeNode,
  isLiteralTypeNode,
  isParenthesizedTypeNode,
  isPrivateIdentifier,
  isTypeLiteralNode,
  isTypeQueryNode,
  isTypeReferenceNode,
  isUnionTypeNode,
  type Node,
  SyntaxKind,
  type TypeAliasDeclaration,
  type TypeLiteralNode,
  type TypeNode,
  type VariableDeclaration,
} from "typescript/unstable/ast";

/** One line of the API: an exported declaration, or one of its members. */
export interface Signature {
  /** The name as a user writes it, such as `Auth.sessions.list`. */
  readonly path: string;
  /** The declaration on one line, without comments. */
  readonly text: string;
}

/** The lines of one declaration. */
export interface Description {
  readonly signatures: readonly Signature[];
  /** The paths of declarations and members without a docstring. */
  readonly undocumented: readonly string[];
}

/** A member of an interface, of a class or of an object type. */
interface Member extends Node {
  readonly name?: Node;
  readonly type?: TypeNode;
  readonly initializer?: Node;
  readonly modifiers?: readonly Node[];
}

/**
 * Describes a declaration of a `.d.ts` file under its exported name. Each member of an interface, class or object type has a
 * line, and so has each alternative of a union.
 *
 * @throws Error if the declaration is of a kind that this project does not use.
 */
export function describeDeclaration(path: string, node: Node): Description {
  const signatures: Signature[] = [];
  const undocumented: string[] = [];

  function add(to: string, text: string): void {
    signatures.push({ path: to, text });
  }

  function addMembers(parent: string, members: readonly Node[]): void {
    for (const member of members as readonly Member[]) {
      if (!isPrivate(member)) addMember(parent, member);
    }
  }

  function addMember(parent: string, member: Member): void {
    const { name, type, modifiers = [], kind } = member;
    const own = name?.getText() ?? (kind === SyntaxKind.Constructor ? "constructor" : "");
    const isNamed = name?.kind === SyntaxKind.Identifier || own === "constructor";
    const memberPath = isNamed ? `${parent}.${own}` : parent + own;
    const accessor = kind === SyntaxKind.GetAccessor ? ["get"] : kind === SyntaxKind.SetAccessor ? ["set"] : [];
    const beginning = [...modifiers.map((modifier) => modifier.getText()), ...accessor, memberPath].join(" ");
    const start = name?.end ?? (modifiers.at(-1)?.end ?? member.getStart()) + own.length;
    const object = isProperty(member) && type !== undefined && isTypeLiteralNode(type) ? type : undefined;
    const line = beginning + textBetween(member, start, object?.pos ?? member.end).replace(/[:;]$/, "");
    // An index signature and a call signature have no name.
    requireMemberDocstring(own === "" ? line : memberPath, member);
    add(memberPath, line);
    if (object !== undefined) addMembers(memberPath, object.members);
  }

  function requireDocstring(to: string, of: Node): void {
    if (!hasDocstring(of)) undocumented.push(to);
  }

  function requireMemberDocstring(to: string, member: Member): void {
    if (!hasOneValue(member)) requireDocstring(to, member);
  }

  function addObject(keyword: string, object: ClassDeclaration | InterfaceDeclaration): void {
    add(path, `${keyword} ${path}${textBetween(object, object.name?.end ?? 0, object.members.pos - 1)}`);
    addMembers(path, object.members);
  }

  function addAlias({ name, type }: TypeAliasDeclaration): void {
    const header = `type ${path}${textBetween(node, name.end, type.pos).replace(/ ?=$/, "")}`;
    if (isTypeLiteralNode(type)) {
      add(path, header);
      addMembers(path, type.members);
      return;
    }
    const alternatives = isUnionTypeNode(type) ? type.types : [type];
    if (alternatives.length === 1) add(path, `${header} = ${textBetween(type, type.getStart(), type.end)}`);
    else {
      add(path, header);
      for (const one of alternatives) add(path, `${path} | ${textBetween(one, one.getStart(), one.end)}`);
    }
    for (const { members } of alternatives.flatMap(toParts).filter(isTypeLiteralNode)) {
      for (const member of members as readonly Member[]) {
        requireMemberDocstring(`${path}.${member.name?.getText() ?? ""}`, member);
      }
    }
  }

  /** Adds one line for each member of a constant. They need no docstring: `.d.ts` files have none in inferred types. */
  function addConstant({ name, type }: VariableDeclaration): void {
    const object = type === undefined ? undefined : toFrozenObject(type);
    if (object === undefined) {
      add(path, `const ${path}${textBetween(node, name.end, node.end)}`);
      return;
    }
    add(path, `const ${path}`);
    for (const member of object.members) {
      add(
        `${path}.${(member as Member).name?.getText()}`,
        `${path}.${textBetween(member, member.getStart(), member.end - 1)}`,
      );
    }
  }

  requireDocstring(path, node);
  const { end = 0 } = (node as Member).name ?? {};
  if (node.kind === SyntaxKind.FunctionDeclaration) {
    add(path, `function ${path}${textBetween(node, end, node.end).replace(/;$/, "")}`);
  } else if (node.kind === SyntaxKind.VariableDeclaration) addConstant(node as VariableDeclaration);
  else if (node.kind === SyntaxKind.ClassDeclaration) addObject("class", node as ClassDeclaration);
  else if (node.kind === SyntaxKind.InterfaceDeclaration) addObject("interface", node as InterfaceDeclaration);
  else if (node.kind === SyntaxKind.TypeAliasDeclaration) addAlias(node as TypeAliasDeclaration);
  else throw new Error(`${path} is a ${SyntaxKind[node.kind]}, which scripts/public-api does not read`);
  return { signatures, undocumented };
}

/** Returns the names of all types in a declaration, as nodes whose symbol the checker can find. */
export function listTypeNames(node: Node): readonly Node[] {
  const names: Node[] = [];
  const visit = (one: Node): void => {
    if (isPrivate(one)) return;
    if (isTypeReferenceNode(one)) names.push(one.typeName);
    else if (isExpressionWithTypeArguments(one)) names.push(one.expression);
    else if (isTypeQueryNode(one)) names.push(one.exprName);
    else if (isImportTypeNode(one) && one.qualifier !== undefined) names.push(one.qualifier);
    one.forEachChild(visit);
  };
  visit(node);
  return names;
}

/** Returns the members of an intersection, without parentheses. */
function toParts(type: TypeNode): readonly TypeNode[] {
  if (isParenthesizedTypeNode(type)) return toParts(type.type);
  return isIntersectionTypeNode(type) ? type.types.flatMap(toParts) : [type];
}

function isPrivate({ name, modifiers = [] }: Member): boolean {
  const isHidden = modifiers.some(({ kind }) => kind === SyntaxKind.PrivateKeyword);
  return isHidden || (name !== undefined && isPrivateIdentifier(name));
}

/** Returns whether there is a docstring with a sentence: tags alone explain nothing in an editor's hover. */
function hasDocstring(node: Node): boolean {
  const holder = node.kind === SyntaxKind.VariableDeclaration ? node.parent.parent : node;
  const docstrings = (holder.jsDoc ?? []) as readonly (Node & { readonly comment?: readonly Node[] })[];
  return docstrings.some(({ comment = [] }) => comment.length > 0);
}

/** Returns whether a member has one possible value, such as `type: "login"`, which needs no explanation. */
function hasOneValue({ type, initializer }: Member): boolean {
  return initializer !== undefined || (type !== undefined && isLiteralTypeNode(type));
}

function isProperty({ kind }: Node): boolean {
  return kind === SyntaxKind.PropertySignature || kind === SyntaxKind.PropertyDeclaration;
}

/** Returns the object type in `Readonly<{ … }>`, the type of a frozen constant. */
function toFrozenObject(type: TypeNode): TypeLiteralNode | undefined {
  const [argument] =
    isTypeReferenceNode(type) && type.typeName.getText() === "Readonly" ? (type.typeArguments ?? []) : [];
  return argument !== undefined && isTypeLiteralNode(argument) ? argument : undefined;
}

/** Returns the text from `start` to `end` on one line, without comments and with `{}` for each destructured parameter. */
function textBetween(node: Node, start: number, end: number): string {
  const { text } = node.getSourceFile();
  const patterns: Node[] = [];
  const visit = (one: Node): void => {
    if (isBindingPattern(one)) patterns.push(one);
    else one.forEachChild(visit);
  };
  visit(node);
  let raw = "";
  let position = start;
  for (const pattern of patterns.filter((one) => one.getStart() >= start && one.end <= end)) {
    raw += `${text.slice(position, pattern.getStart())}{}`;
    position = pattern.end;
  }
  return withoutComments(raw + text.slice(position, end))
    .replaceAll(/\s+/g, " ")
    .trimEnd();
}

function withoutComments(text: string): string {
  const stringOrComment = /("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`(?:[^`\\]|\\.)*`)|\/\*.*?\*\/|\/\/[^\n]*/gs;
  return text.replaceAll(stringOrComment, (_, quoted: string | undefined) => quoted ?? " ");
}
