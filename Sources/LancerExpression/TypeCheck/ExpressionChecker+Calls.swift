import LancerArrow
import LancerBytes

extension ExpressionChecker {
    /// A function call as written.
    mutating func call(
        _ name: String,
        _ arguments: [Syntax],
        _ syntax: Syntax,
        _ place: Place
    ) throws(LanceError) -> TypedExpression {
        let position = syntax.position
        func expect(_ counts: ClosedRange<Int>, _ usage: String) throws(LanceError) {
            guard counts.contains(arguments.count) else {
                throw error("\(name) is used as \(usage), found \(arguments.count) arguments", position)
            }
        }
        switch name {
        case "is_valid":
            try expect(1...1, "is_valid(value)")
            let value = try plain(try check(arguments[0], place.below))
            return fold(.bool, .test(.null, value, isNegated: true), syntax)
        case "get_field":
            try expect(2...2, "get_field(struct, 'name')")
            if let path = try path(syntax) { return column(path, position) }
            return try check(Syntax(position: position, kind: .subscripted(arguments[0], arguments[1])), place)
        case "arrow_cast", "arrow_try_cast":
            try expect(2...2, "arrow_cast(value, 'Int64')")
            guard case .text(let text) = arguments[1].kind, let type = ArrowTypeName.parse(text) else {
                throw error("arrow_cast needs the name of an Arrow type, such as 'Int64'", arguments[1].position)
            }
            let value = try plain(try check(arguments[0], .argument))
            return try cast(value, to: type, name == "arrow_cast" ? .checked : .try, position)
        case "named_struct": return try namedStruct(arguments, syntax)
        default: break
        }
        var checked: [TypedExpression] = []
        for argument in arguments {
            if case .interval = argument.kind {
                throw error("intervals are not supported here", argument.position)
            }
            checked.append(try check(argument, .argument))
        }
        switch name {
        case "arrow_typeof":
            try expect(1...1, "arrow_typeof(value)")
            let text = ArrowArray.utf8([ArrowTypeName.text(checked[0].type)])
            return TypedExpression(type: .utf8, node: .constant(text), position: position)
        case "coalesce", "nvl", "ifnull":
            try expect(name == "coalesce" ? 1...1000 : 2...2, "\(name)(value, …)")
            let (values, type) = try unified(checked, name, position)
            return fold(type, .coalesce(values), syntax)
        case "nvl2":
            try expect(3...3, "nvl2(value, ifNotNull, ifNull)")
            let subject = try plain(checked[0])
            let (values, type) = try unified(Array(checked[1...]), name, position)
            let test = fold(.bool, .test(.null, subject, isNegated: true), syntax)
            return fold(type, .choice(nil, [(test, values[0])], otherwise: values[1]), syntax)
        case "nullif", "greatest", "least":
            try expect(name == "nullif" ? 2...2 : 1...1000, "\(name)(value, …)")
            let (values, _) = try unified(checked, name, position)
            return try call(name, values, position)
        case "date_part", "datepart":
            // The seconds since 1970 have a fraction, all other parts are integers.
            if checked.count == 2, case .string(let part) = checked[0].constant?.value(at: 0),
                part.lowercased() == "epoch"
            {
                return try call("date_part_epoch", [checked[1]], position)
            }
        default: break
        }
        return try call(name, checked, position)
    }

    /// `named_struct('name', value, …)`.
    private mutating func namedStruct(_ arguments: [Syntax], _ syntax: Syntax) throws(LanceError) -> TypedExpression {
        guard !arguments.isEmpty, arguments.count % 2 == 0 else {
            throw error("named_struct is used as named_struct('name', value, …)", syntax.position)
        }
        var fields: [ArrowField] = []
        var values: [TypedExpression] = []
        for index in stride(from: 0, to: arguments.count, by: 2) {
            guard case .text(let name) = arguments[index].kind, !fields.contains(where: { $0.name == name }) else {
                throw error("named_struct needs a name of its own for every field, as text", arguments[index].position)
            }
            let value = try plain(try check(arguments[index + 1], .argument))
            fields.append(ArrowField(name, value.type))
            values.append(value)
        }
        let call = FunctionCall(name: "named_struct", canFail: false) { arguments throws(LanceError) in
            var members: [ArrowArray] = []
            for index in 0..<arguments.count { members.append(try arguments.expanded(index)) }
            let storage = ArrowArray.Storage.structure(members)
            return ArrowArray(type: arguments.type, length: arguments.rowCount, validity: nil, storage: storage)
        }
        return fold(.structure(fields), .call(call, values), syntax)
    }

    private func unified(
        _ values: [TypedExpression],
        _ what: String,
        _ position: Int
    ) throws(LanceError) -> ([TypedExpression], ArrowType) {
        var plains: [TypedExpression] = []
        for value in values { plains.append(try plain(value)) }
        let type = try unionType(plains, what, position)
        for index in plains.indices { plains[index] = try cast(plains[index], to: type, .checked, position) }
        return (plains, type)
    }

    /// A function on checked arguments.
    func call(_ name: String, _ arguments: [TypedExpression], _ position: Int) throws(LanceError) -> TypedExpression {
        guard let function = FunctionCatalog.functions[name] else {
            if FunctionCatalog.aggregates.contains(name) {
                throw error("aggregates are not supported in expressions: \(name)", position)
            }
            throw error("there is no function \"\(name)\"", position)
        }
        var plains: [TypedExpression] = []
        for argument in arguments { plains.append(try plain(argument)) }
        guard let (parameters, result) = function.resolve(plains.map(\.type)) else {
            let types = plains.map(\.type.shortName).joined(separator: ", ")
            throw error("\(name) is used as \(function.usage), found (\(types))", position)
        }
        for (index, type) in parameters.enumerated() {
            plains[index] = try cast(plains[index], to: type, .checked, plains[index].position)
        }
        let call = FunctionCall(name: name, canFail: function.canFail, body: function.body)
        return fold(TypedExpression(type: result, node: .call(call, plains), position: position))
    }
}
